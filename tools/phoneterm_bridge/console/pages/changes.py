"""The page *Changes*: who changed what, when and from where. Reads only."""

from starlette.requests import Request
from starlette.responses import Response

from phoneterm_bridge.console.site import Site
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.console.watch import CHANGES
from phoneterm_bridge.store.journal_reading import read_numbered_changes

_MOST = 200


async def show_changes(site: Site, request: Request, visitor: Visitor) -> Response:
    """Show the last changes, live; of one user, extension or terminal, if one is named."""
    subject = request.query_params.get("of", "").strip()[:64]

    async def read() -> dict:
        found = await site.run(read_numbered_changes, site.sources.engine, subject or None, _MOST)
        return {"changes": found}

    return await site.render(request, visitor, "changes.html", (CHANGES,), read, subject=subject, most=_MOST)
