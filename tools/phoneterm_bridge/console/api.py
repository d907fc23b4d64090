"""The console's HTTP API: the same operations for programs, with a token. Described by `api_document`; shows no page.

A program sends `Authorization: Bearer TOKEN`; the token's role says what it may do. Bodies and answers are JSON.
What is not done is one sentence, `detail`. No cookie counts here, so no page elsewhere can have a browser do anything.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phoneterm_bridge.administration.bulk_change import Change
from phoneterm_bridge.administration.firmware_age import is_outdated
from phoneterm_bridge.administration.site_groups import count_groups
from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.console.api_document import make_document
from phoneterm_bridge.console.bulk import make_bulk, require_role_for
from phoneterm_bridge.console.own_password import change_password
from phoneterm_bridge.console.rows import REVOKED, Row, newest_firmware
from phoneterm_bridge.console.site import Refused, Site, read_body
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names, reading
from phoneterm_bridge.store.accounts import ADMIN, OPERATOR, VIEWER
from phoneterm_bridge.store.journal_reading import read_changes

_MOST_CHANGES = 200
_MOST_BODY_BYTES = 256 * 1024
_Work = Callable[[Site, Request, Visitor], Awaitable[Any]]


def make_routes(site: Site) -> list[Route]:
    """Return the routes of the API."""
    works: list[tuple[str, str, _Work, str]] = [
        ("/api/terminals", "GET", _list_terminals, VIEWER),
        ("/api/terminals", "POST", _enrol, ADMIN),
        ("/api/terminals/{tid}", "GET", _show_terminal, VIEWER),
        ("/api/terminals/{tid}/rights", "PUT", _set_rights, OPERATOR),
        ("/api/terminals/{tid}/group", "PUT", _set_group, OPERATOR),
        ("/api/terminals/{tid}/identify", "POST", _ask("identify"), OPERATOR),
        ("/api/terminals/{tid}/reboot", "POST", _ask("reboot"), OPERATOR),
        ("/api/terminals/{tid}/rotate", "POST", _rotate, ADMIN),
        ("/api/terminals/{tid}/revoke", "POST", _revoke, ADMIN),
        ("/api/groups", "GET", _list_groups, VIEWER),
        ("/api/bulk/preview", "POST", _preview_bulk, OPERATOR),
        ("/api/bulk", "POST", _bulk, OPERATOR),
        ("/api/users", "GET", _list_users, VIEWER),
        ("/api/users/{name}/multi-user-aware", "PUT", _set_aware, OPERATOR),
        ("/api/why/{extension}", "GET", _why, VIEWER),
        ("/api/changes", "GET", _list_changes, VIEWER),
        ("/api/accounts/{name}/password", "PUT", _set_password, VIEWER),
        ("/api/health", "GET", _health, VIEWER),
    ]

    async def document(_request: Request) -> Response:
        return JSONResponse(make_document())

    found = [Route(path, _answer(site, work, role), methods=[method]) for path, method, work, role in works]
    return [Route("/api/openapi.json", document), *found]


def _answer(site: Site, work: _Work, role: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            visitor = await site.visitors.find_program(request)
            if visitor is None:
                raise Refused(401, "This needs a token: Authorization: Bearer TOKEN.", {"WWW-Authenticate": "Bearer"})
            if not visitor.may(role):
                raise Refused(403, f"This needs the role {role}, and the token {visitor.name} is {visitor.role}.")
            return JSONResponse(await work(site, request, visitor))
        except Refused as refused:
            return JSONResponse({"detail": str(refused)}, refused.status, refused.headers)
        except SetupProblem as problem:
            status = 404 if str(problem).startswith("There is no ") else 409
            return JSONResponse({"detail": str(problem)}, status)
        except sa.exc.DBAPIError as error:
            trouble = site.describe_store_trouble(error)
            return JSONResponse({"detail": str(trouble)}, trouble.status)

    return answer


async def _list_terminals(site: Site, request: Request, _visitor: Visitor) -> Any:
    rows, asked = site.rows.all(), request.query_params
    newest = newest_firmware(rows)
    if "group" in asked:
        rows = [row for row in rows if row.group == asked["group"]]
    if asked.get("outdated") == "yes":
        rows = [row for row in rows if row.state != REVOKED and is_outdated(row.firmware, newest)]
    return [_fields(row) for row in rows]


async def _show_terminal(site: Site, request: Request, _visitor: Visitor) -> Any:
    return _fields(_require_row(site, request))


async def _enrol(site: Site, request: Request, visitor: Visitor) -> Any:
    body = await _read_object(request, {"extension": str, "tid": str, "mqtt_host": str, "group": str})
    if "extension" not in body:
        raise Refused(400, "The body needs extension.")
    arguments = (visitor, body["extension"], body.get("tid"), body.get("mqtt_host"), body.get("group", ""))
    handed = await site.change(site.operations.enrol, *arguments)
    return {"terminal": handed.tid, "settings": json.loads(handed.document)}


async def _set_rights(site: Site, request: Request, visitor: Visitor) -> Any:
    tid = _require_row(site, request).tid
    body = await _read_object(request, {"blind": bool, "attended": bool, "classes": list})
    classes = body.pop("classes", None)
    if classes is not None:
        if not all(isinstance(one, str) for one in classes):
            raise Refused(400, "The classes are texts.")
        problem = names.problem_of_classes(tuple(classes))
        if problem is not None:
            raise Refused(400, f"{problem}.")
    wanted = None if classes is None else tuple(dict.fromkeys(classes))
    await site.change(site.operations.set_rights, visitor, tid, body, wanted)
    return _fields(_require_row(site, request))


def _ask(operation: str) -> _Work:
    async def ask(site: Site, request: Request, visitor: Visitor) -> Any:
        return {"said": await site.ask(visitor, _require_row(site, request).tid, operation)}

    return ask


async def _rotate(site: Site, request: Request, visitor: Visitor) -> Any:
    tid, body = _require_row(site, request).tid, await _read_object(request, {"mqtt_host": str})
    handed = await site.change(site.operations.rotate, visitor, tid, body.get("mqtt_host"))
    return {"terminal": handed.tid, "settings": json.loads(handed.document)}


async def _revoke(site: Site, request: Request, visitor: Visitor) -> Any:
    return {"said": await site.change(site.operations.revoke, visitor, _require_row(site, request).tid)}


async def _set_group(site: Site, request: Request, visitor: Visitor) -> Any:
    tid, body = _require_row(site, request).tid, await _read_object(request, {"group": str})
    return {"said": await site.change(site.operations.set_group, visitor, tid, body.get("group", ""))}


async def _list_groups(site: Site, _request: Request, _visitor: Visitor) -> Any:
    counts = count_groups(site.sources.directory.snapshot)
    return [{"group": name, "terminals": count} for name, count in counts]


async def _preview_bulk(site: Site, request: Request, visitor: Visitor) -> Any:
    change, tids, body = await _read_bulk(site, request, visitor)
    preview = await site.run(site.operations.preview, change, tids, site.rows.find_absence, body.get("mqtt_host"))
    return {
        "said": preview.sentence,
        "affected": [
            {"terminal": one.tid, "extension": one.extension, "user": one.user, "now": one.now, "then": one.then}
            for one in preview.affected
        ],
        "not_affected": _name_reasons(preview.left_out),
        "notes": list(preview.notes),
        "mark": preview.mark,
    }


async def _bulk(site: Site, request: Request, visitor: Visitor) -> Any:
    change, tids, body = await _read_bulk(site, request, visitor)
    done = await make_bulk(site, visitor, change, tids, body.get("mark"), body.get("mqtt_host"))
    settings = [{"terminal": one.tid, "settings": json.loads(one.document)} for one in done.handed]
    return {"said": done.said, "not_done": _name_reasons(done.not_done), "settings": settings}


async def _read_bulk(site: Site, request: Request, visitor: Visitor) -> tuple[Change, list[str], dict[str, Any]]:
    body = await _read_object(request, {"what": str, "value": str, "terminals": list, "mark": str, "mqtt_host": str})
    if "what" not in body or "terminals" not in body:
        raise Refused(400, "The body needs what and terminals.")
    tids = body["terminals"]
    if not all(isinstance(tid, str) and names.problem_of_tid(tid) is None for tid in tids):
        raise Refused(400, "The terminals are ids.")
    change = site.operations.read_change(body["what"], body.get("value", ""))
    require_role_for(change, visitor)
    return change, tids, body


def _name_reasons(left_out: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"terminal": tid, "why": why} for tid, why in left_out]


async def _set_password(site: Site, request: Request, visitor: Visitor) -> Any:
    body = await _read_object(request, {"old": str, "password": str})
    if "old" not in body or "password" not in body:
        raise Refused(400, "The body needs old and password.")
    name = request.path_params["name"]
    await change_password(site, request, visitor, name, body["old"], body["password"])
    return {"said": f"{name} has a new password, and is signed out everywhere."}


async def _list_users(site: Site, _request: Request, _visitor: Visitor) -> Any:
    users = await site.run(reading.read_users, site.sources.engine)
    return [{"user": name, "is_multi_user_aware": is_aware, "extensions": numbers} for name, is_aware, numbers in users]


async def _set_aware(site: Site, request: Request, visitor: Visitor) -> Any:
    body = await _read_object(request, {"is_multi_user_aware": bool})
    if "is_multi_user_aware" not in body:
        raise Refused(400, "The body needs is_multi_user_aware.")
    name, is_allowed = request.path_params["name"], body["is_multi_user_aware"]
    return {"said": await site.set_aware(visitor, name, is_allowed)}


async def _why(site: Site, request: Request, _visitor: Visitor) -> Any:
    return await site.run(answer_why, site.sources.engine, request.path_params["extension"], None)


async def _list_changes(site: Site, request: Request, _visitor: Visitor) -> Any:
    subject = request.query_params.get("of") or None
    return [one._asdict() for one in await site.run(read_changes, site.sources.engine, subject, _MOST_CHANGES)]


async def _health(site: Site, _request: Request, _visitor: Visitor) -> Any:
    health = site.sources.health
    missing = health.missing()
    return {"status": "not ready" if missing else "ready", "missing": missing, "troubled": health.troubled()}


def _require_row(site: Site, request: Request) -> Row:
    row = site.rows.find(request.path_params["tid"])
    if row is None:
        raise Refused(404, "There is no such terminal.")
    return row


def _fields(row: Row) -> dict[str, Any]:
    fields = row._asdict()
    fields["terminal"] = fields.pop("tid")
    return fields | {"troubles": list(row.troubles)}


async def _read_object(request: Request, kinds: dict[str, type]) -> dict[str, Any]:
    """Return the body, an object with fields of these kinds; no field must be there."""
    content = await read_body(request, _MOST_BODY_BYTES)
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refused(400, "The body is an object.")
    for name, value in body.items():
        if name not in kinds:
            raise Refused(400, f"The body may have {', '.join(kinds)} and nothing else.")
        if not isinstance(value, kinds[name]):
            raise Refused(400, f"The field {name} is of another kind.")
        if isinstance(value, str) and (not value.isprintable() or not 0 < len(value) <= 200):
            raise Refused(400, f"The field {name} has 1 to 200 printable characters.")
    return body
