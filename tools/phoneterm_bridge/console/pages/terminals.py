"""The pages *Terminals*, one terminal, and enrolling; and what is asked of one terminal. Changes nothing itself."""

import segno
from markupsafe import Markup
from phoneterm.core.operations import FLAGS
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.administration.site_groups import count_groups
from phoneterm_bridge.console import rows as words
from phoneterm_bridge.console.operations import REQUESTS, HandedOut
from phoneterm_bridge.console.rows import newest_firmware
from phoneterm_bridge.console.site import Refused, Site, field, read_form
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.console.watch import TERMINALS
from phoneterm_bridge.policy.site import classes_of
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import ADMIN, OPERATOR


async def show_terminals(site: Site, request: Request, visitor: Visitor) -> Response:
    """List the terminals, live."""

    async def read() -> dict:
        rows = site.rows.all()
        groups = sorted({row.group for row in rows if row.group})
        return {"rows": rows, "newest": newest_firmware(rows), "groups": groups, "make_piece": site.pieces.make}

    classes = classes_of(site.sources.settings.phones) or ()
    return await site.render(
        request, visitor, "terminals.html", (TERMINALS,), read, states=_STATES, flags=FLAGS, classes=classes
    )


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
        groups = [name for name, _ in count_groups(site.sources.directory.snapshot)]
        return {"row": row, "record": record, "telemetry": sorted(said.items()), "groups": groups}

    return await site.render(request, visitor, "terminal.html", (TERMINALS,), read)


async def ask_terminal(site: Site, request: Request, visitor: Visitor) -> Response:
    """Have a terminal show itself or reboot, set its site group, give it new secrets, or revoke it."""
    tid, what = request.path_params["tid"], request.path_params["what"]
    form = await read_form(request)
    if what in REQUESTS:
        if not visitor.may(OPERATOR):
            raise Refused(403, f"This needs the role {OPERATOR}, and {visitor.name} is {visitor.role}.")
        return JSONResponse({"say": await site.ask(visitor, tid, what)})
    if what == "group":
        return JSONResponse({"say": await site.change(site.operations.set_group, visitor, tid, field(form, "group"))})
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
    groups = [name for name, _ in count_groups(site.sources.directory.snapshot)]
    return await site.render(request, visitor, "enrol.html", extension=extension, groups=groups)


async def enrol(site: Site, request: Request, visitor: Visitor) -> Response:
    """Enrol a terminal; its settings are in the answer, only once."""
    form = await read_form(request)
    extension, tid, host = (field(form, name) or None for name in ("extension", "tid", "mqtt_host"))
    if extension is None:
        raise SetupProblem("Say which extension's calls it transfers.")
    handed = await site.change(site.operations.enrol, visitor, extension, tid, host, field(form, "group"))
    return _hand_out(site, handed, f"{handed.tid} is enrolled.")


def _hand_out(site: Site, handed: HandedOut, said: str) -> Response:
    command = f"phoneterm device provision --settings {handed.tid}.json"
    picture = segno.make(command, error="m", micro=False).svg_inline(scale=4, border=2)
    html = site.templates.get_template("handed_out.html").render(
        handed=handed, command=command, picture=Markup(picture), said=said,  # noqa: S704 - made from our own words
    )  # fmt: skip
    return JSONResponse({"say": said, "put": {"handed-out": html}})


_STATES = (words.ONLINE, words.OFFLINE, words.SAFE_MODE, words.NEVER, words.REVOKED)
