"""The console's HTTP API: the same operations for programs, with a token. Described by `api_document`; shows no page.

A program sends `Authorization: Bearer TOKEN`; the token's role says what it may do. Bodies and answers are JSON.
What is not done is one sentence, `detail`. No cookie counts here, so no page elsewhere can have a browser do anything.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.console.api_document import make_document
from phoneterm_bridge.console.rows import Row
from phoneterm_bridge.console.site import Refused, Site, read_body
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names, reading
from phoneterm_bridge.store.accounts import ADMIN, OPERATOR, VIEWER
from phoneterm_bridge.store.journal_reading import read_changes

_MOST_CHANGES = 200
_MOST_BODY_BYTES = 64 * 1024
_Work = Callable[[Site, Request, Visitor], Awaitable[Any]]


def make_routes(site: Site) -> list[Route]:
    """Return the routes of the API."""
    works: list[tuple[str, str, _Work, str]] = [
        ("/api/terminals", "GET", _list_terminals, VIEWER),
        ("/api/terminals", "POST", _enrol, ADMIN),
        ("/api/terminals/{tid}", "GET", _show_terminal, VIEWER),
        ("/api/terminals/{tid}/rights", "PUT", _set_rights, OPERATOR),
        ("/api/terminals/{tid}/identify", "POST", _ask("identify"), OPERATOR),
        ("/api/terminals/{tid}/reboot", "POST", _ask("reboot"), OPERATOR),
        ("/api/terminals/{tid}/rotate", "POST", _rotate, ADMIN),
        ("/api/terminals/{tid}/revoke", "POST", _revoke, ADMIN),
        ("/api/users", "GET", _list_users, VIEWER),
        ("/api/users/{name}/multi-user-aware", "PUT", _set_aware, OPERATOR),
        ("/api/why/{extension}", "GET", _why, VIEWER),
        ("/api/changes", "GET", _list_changes, VIEWER),
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

    return answer


async def _list_terminals(site: Site, _request: Request, _visitor: Visitor) -> Any:
    return [_fields(row) for row in site.rows.all()]


async def _show_terminal(site: Site, request: Request, _visitor: Visitor) -> Any:
    return _fields(_require_row(site, request))


async def _enrol(site: Site, request: Request, visitor: Visitor) -> Any:
    body = await _read_object(request, {"extension": str, "tid": str, "mqtt_host": str})
    if "extension" not in body:
        raise Refused(400, "The body needs extension.")
    arguments = (visitor, body["extension"], body.get("tid"), body.get("mqtt_host"))
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
    for operation, is_allowed in body.items():
        await site.change(site.operations.set_operation, visitor, tid, operation, is_allowed)
    if classes is not None:
        await site.change(site.operations.set_classes, visitor, tid, tuple(dict.fromkeys(classes)))
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
