"""The page *Health*: whether the bridge is ready, troubles of terminals, and what the doctor finds. Reads only."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console import examining
from phoneterm_bridge.console.site import Site
from phoneterm_bridge.console.visitors import Visitor

_ORDER = ("problem", "warning", "not known", "ok")


async def show_health(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show what is known now."""
    return await site.render(request, visitor, "health.html", troubled=site.sources.health.troubled())


async def examine(site: Site, _request: Request, _visitor: Visitor) -> Response:
    """Ask the doctor and answer with the findings, the worst first; one examination at a time."""
    async with site.examining:
        findings = await examining.examine(site.sources.settings)
    findings.sort(key=lambda one: _ORDER.index(one["verdict"]))
    html = site.templates.get_template("findings.html").render(findings=findings)
    return JSONResponse({"put": {"findings": html}})
