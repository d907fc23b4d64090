"""The page *Health*: whether the bridge is ready, troubles of terminals, and what the doctor finds. Reads only."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from phoneterm_bridge.console.site import Site
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.doctor.examination import examine_all

_ORDER = ("problem", "warning", "not known", "ok")


async def show_health(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show what is known now."""
    return await site.render(request, visitor, "health.html", troubled=site.sources.health.troubled())


async def examine(site: Site, _request: Request, _visitor: Visitor) -> Response:
    """Ask the doctor, in a thread of its own, and answer with the findings, the worst first."""
    settings = site.sources.settings
    findings = await site.run(lambda: asyncio.run(examine_all(settings)))
    findings.sort(key=lambda one: _ORDER.index(one.verdict))
    return JSONResponse({"put": {"findings": site.templates.get_template("findings.html").render(findings=findings)}})
