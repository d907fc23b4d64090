"""The pages *Terminals*, one terminal, and enrolling; and what is asked of terminals there. Changes nothing itself."""

import asyncio

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console import rows as words
from phoneterm_bridge.console.operations import BULK, MOST_AT_ONCE, REQUESTS, HandedOut
from phoneterm_bridge.console.rows import Row, newest_firmware
from phoneterm_bridge.console.site import Refused, Site, field, read_form
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.console.watch import TERMINALS
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import ADMIN, OPERATOR

_ASKED_AT_ONCE = 25
_BULK_WORDS = {
    "allow-blind": "may do blind transfers", "deny-blind": "may not do blind transfers any more",
    "allow-attended": "may do attended transfers", "deny-attended": "may not do attended transfers any more",
    "reboot": "is told to reboot; calls go on", "identify": "shows itself: its lamp blinks",
}  # fmt: skip


async def show_terminals(site: Site, request: Request, visitor: Visitor) -> Response:
    """List the terminals, live."""

    async def read() -> dict:
        rows = site.rows.all()
        return {"rows": rows, "newest": newest_firmware(rows), "make_piece": site.pieces.make}

    return await site.render(request, visitor, "terminals.html", (TERMINALS,), read, states=_STATES)


async def show_terminal(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show one terminal, live."""
    tid = request.path_params["tid"]
    if site.rows.find(tid) is None:
        raise Refused(404, f"There is no terminal {tid!r}.")

    async def read() -> dict:
        row, record = site.rows.find(tid), site.sources.directory.snapshot.terminals.get(tid)
        if row is None or record is None:
            raise Refused(404, f"There is no terminal {tid!r}.")
        said = dict(site.sources.telemetry.find(tid) or ())
        return {"row": row, "record": record, "telemetry": sorted(said.items())}

    return await site.render(request, visitor, "terminal.html", (TERMINALS,), read)


async def ask_terminal(site: Site, request: Request, visitor: Visitor) -> Response:
    """Have a terminal show itself or reboot, give it new secrets, or revoke it."""
    tid, what = request.path_params["tid"], request.path_params["what"]
    form = await read_form(request)
    if what in REQUESTS:
        if not visitor.may(OPERATOR):
            raise Refused(403, f"This needs the role {OPERATOR}, and {visitor.name} is {visitor.role}.")
        return JSONResponse({"say": await site.ask(visitor, tid, what)})
    if not visitor.may(ADMIN):
        raise Refused(403, f"This needs the role {ADMIN}, and {visitor.name} is {visitor.role}.")
    if what == "revoke":
        return JSONResponse({"say": await site.change(site.operations.revoke, visitor, tid), "go": f"/terminals/{tid}"})
    if what == "rotate":
        handed = await site.change(site.operations.rotate, visitor, tid, field(form, "mqtt_host") or None)
        return _hand_out(site, handed, f"{tid} has new secrets; the old ones are worthless.")
    raise Refused(404, f"A terminal cannot be asked to {what!r}.")


async def show_enrol(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show the form that enrols a terminal."""
    extension = request.query_params.get("extension", "")[:32]
    return await site.render(request, visitor, "enrol.html", extension=extension)


async def enrol(site: Site, request: Request, visitor: Visitor) -> Response:
    """Enrol a terminal; its settings are in the answer, only once."""
    form = await read_form(request)
    extension, tid, host = (field(form, name) or None for name in ("extension", "tid", "mqtt_host"))
    if extension is None:
        raise SetupProblem("Say which extension's calls it transfers.")
    handed = await site.change(site.operations.enrol, visitor, extension, tid, host)
    return _hand_out(site, handed, f"{handed.tid} is enrolled.")


async def preview_bulk(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show who is affected by a change of many terminals, before it is made."""
    what, chosen = await _read_bulk(site, request)
    affected, left_out = _sort_out(what, chosen)
    html = site.templates.get_template("bulk_preview.html").render(
        what=what, words=_BULK_WORDS[what], affected=affected, left_out=left_out
    )
    return JSONResponse({"put": {"bulk-preview": html}, "count": len(affected)})


async def change_many(site: Site, request: Request, visitor: Visitor) -> Response:
    """Make a change of many terminals."""
    what, chosen = await _read_bulk(site, request)
    tids = [row.tid for row in _sort_out(what, chosen)[0]]
    if not tids:
        raise SetupProblem("None of these terminals is affected.")
    if what in REQUESTS:
        return JSONResponse({"say": await _ask_many(site, visitor, tids, what)})
    verb, _, operation = what.partition("-")
    said = await site.change(site.operations.set_operation_of_many, visitor, tids, operation, verb == "allow")
    return JSONResponse({"say": said})


async def _ask_many(site: Site, visitor: Visitor, tids: list[str], what: str) -> str:
    waiting = asyncio.Semaphore(_ASKED_AT_ONCE)
    refused: list[str] = []

    async def ask(tid: str) -> None:
        async with waiting:
            try:
                await site.ask(visitor, tid, what)
            except SetupProblem as problem:
                refused.append(str(problem))

    await asyncio.gather(*map(ask, tids))
    done = len(tids) - len(refused)
    return f"{done} of {len(tids)} terminals were told to {what}. {' '.join(refused[:3])}".strip()


async def _read_bulk(site: Site, request: Request) -> tuple[str, list[Row]]:
    form = await read_form(request)
    what, tids = field(form, "what"), form.get("terminal", [])
    if what not in BULK:
        raise Refused(400, "There is no such change of many terminals.")
    if not tids or len(tids) > MOST_AT_ONCE:
        raise SetupProblem(f"Choose 1 to {MOST_AT_ONCE} terminals.")
    return what, [row for tid in dict.fromkeys(tids) if (row := site.rows.find(tid)) is not None]


def _sort_out(what: str, chosen: list[Row]) -> tuple[list[Row], list[tuple[Row, str]]]:
    """Return whom a change affects, and whom not, with the reason."""
    affected, left_out = [], []
    for row in chosen:
        if row.state == words.REVOKED:
            left_out.append((row, "it is revoked"))
        elif what in REQUESTS and row.state not in (words.ONLINE, words.SAFE_MODE):
            left_out.append((row, "it is not online"))
        else:
            affected.append(row)
    return affected, left_out


def _hand_out(site: Site, handed: HandedOut, said: str) -> Response:
    command = f"phoneterm device provision --settings {handed.tid}.json"
    picture = segno.make(command, error="m", micro=False).svg_inline(scale=4, border=2)
    html = site.templates.get_template("handed_out.html").render(
        handed=handed, command=command, picture=Markup(picture), said=said,  # noqa: S704 - made from our own words
    )  # fmt: skip
    return JSONResponse({"say": said, "put": {"handed-out": html}})


_STATES = (words.ONLINE, words.OFFLINE, words.SAFE_MODE, words.NEVER, words.REVOKED)
