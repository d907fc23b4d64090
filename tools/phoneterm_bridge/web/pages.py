"""The bridge's pages for machines: /healthz, /readyz and /metrics, described by /openapi.json. Does not serve them.

Imported only when the settings turn the pages on. They use only Starlette: a framework that derives the document from
types would take 8 MB in every bridge. They change nothing and ask for no password. A page that does not exist or is not
allowed gives a short JSON text with `detail`; a mistake of ours gives one log line and a 500.
"""

from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from phoneterm_bridge.web.document import make_document
from phoneterm_bridge.wording.logs import shorten

Said = Callable[[], dict[str, str]]
Scrape = Callable[[], Awaitable[bytes]]


def make_app(missing: Said, troubled: Said, scrape: Scrape) -> Starlette:
    """Return the pages: `missing` says what is not ready, `troubled` what is wrong with terminals, `scrape` gives the
    text of the metrics."""

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> JSONResponse:
        found = missing()
        said = {"status": "not ready" if found else "ready", "missing": found, "troubled": troubled()}
        return JSONResponse(said, 503 if found else 200)

    async def metrics(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(await scrape(), media_type=CONTENT_TYPE_LATEST)

    async def openapi(_request: Request) -> JSONResponse:
        return JSONResponse(make_document())

    pages = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics, "/openapi.json": openapi}
    app = Starlette(
        routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()],  # HEAD comes with GET
        exception_handlers={404: _say_unknown, 405: _say_read_only, Exception: _say_failed},
    )
    app.router.redirect_slashes = False
    return app


async def _say_unknown(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "There is no such page; there are /healthz, /readyz and /metrics."}, 404)


async def _say_read_only(_request: Request, _error: Exception) -> JSONResponse:
    detail = "This page can only be read, with GET or HEAD."
    return JSONResponse({"detail": detail}, 405, {"Allow": "GET, HEAD"})


async def _say_failed(request: Request, error: Exception) -> JSONResponse:
    structlog.get_logger().error("page-failed", path=shorten(request.url.path), error=type(error).__name__)
    return JSONResponse({"detail": "The page could not be made; the bridge's log says more."}, 500)
