"""Changes of many terminals on the page *Terminals*: who is affected, then exactly that. Changes nothing itself."""

import base64
import io
import zipfile

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.administration.bulk_change import GROUP, REVOKE, ROTATE, Change, Preview
from phoneterm_bridge.console.bulk import OF_ADMINS, make_bulk, require_role_for
from phoneterm_bridge.console.operations import HandedOut
from phoneterm_bridge.console.site import Site, field, read_form
from phoneterm_bridge.console.visitors import Visitor

_BUTTONS = {"identify": "Let them blink", "reboot": "Reboot", ROTATE: "Rotate their secrets", REVOKE: "Revoke for good"}
_QUESTIONS = {
    ROTATE: "Give {who} new secrets? Until these are brought to them at a cable, they cannot come back.",
    REVOKE: "Revoke {who} for good? Nothing gives them their rights back.",
}


async def preview_bulk(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show who is affected by a change of many terminals, before it is made."""
    change, tids, form = await _read(site, request, visitor)
    host = field(form, "mqtt_host") or None
    preview = await site.run(site.operations.preview, change, tids, site.rows.find_absence, host)
    html = site.templates.get_template("bulk_preview.html").render(
        preview=preview, left_out=group_reasons(preview.left_out), button=_BUTTONS.get(change.what, "Do it"),
        question=_QUESTIONS.get(change.what, "").format(who=_count(preview)), is_risky=change.what in OF_ADMINS,
    )  # fmt: skip
    return JSONResponse({"put": {"bulk-preview": html}, "count": len(preview.affected), "mark": preview.mark})


async def change_many(site: Site, request: Request, visitor: Visitor) -> Response:
    """Make a change of many terminals, and say who was not affected, or not told, and why."""
    change, tids, form = await _read(site, request, visitor)
    done = await make_bulk(site, visitor, change, tids, field(form, "mark") or None, field(form, "mqtt_host") or None)
    html = site.templates.get_template("bulk_result.html").render(
        said=done.said, not_done=group_reasons(done.not_done), handed=done.handed, archive=make_archive(done.handed)
    )
    return JSONResponse({"say": done.said, "put": {"bulk-result": html}})


def group_reasons(left_out: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    """Return the terminals by the reason why they are not affected."""
    found: dict[str, list[str]] = {}
    for tid, why in left_out:
        found.setdefault(why, []).append(tid)
    return found


def make_archive(handed: list[HandedOut]) -> str:
    """Return the settings of many terminals as one ZIP file in base64; empty for none."""
    if not handed:
        return ""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in handed:
            entry = zipfile.ZipInfo(f"{one.tid}.json")
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, f"{one.document}\n", zipfile.ZIP_DEFLATED)
    return base64.b64encode(content.getvalue()).decode()


def _count(preview: Preview) -> str:
    count = len(preview.affected)
    return preview.affected[0].tid if count == 1 else f"{count} terminals"


async def _read(site: Site, request: Request, visitor: Visitor) -> tuple[Change, list[str], dict[str, list[str]]]:
    form = await read_form(request)
    what, _, value = field(form, "what").partition(":")
    change = site.operations.read_change(what, field(form, "group") if what == GROUP else value)
    require_role_for(change, visitor)
    return change, form.get("terminal", []), form
