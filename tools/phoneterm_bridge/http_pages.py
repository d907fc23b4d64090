"""The bridge's pages for machines: /healthz, /readyz and /metrics, described by /openapi.json. Does not serve them.

Imported only when the settings turn the pages on. They read and change nothing, and ask nobody for a password. What
does not exist or is not allowed is a short JSON text with `detail`; a mistake of ours is one log line and a 500.
"""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from phoneterm_bridge.logs import shorten


class Alive(BaseModel):
    """The bridge answers, so its process is there and its event loop turns."""

    status: str = Field(examples=["alive"])


class Readiness(BaseModel):
    """Whether a command that is keyed now would reach the PBX."""

    status: str = Field(examples=["ready", "not ready"])
    missing: dict[str, str] = Field(description="What is missing (bridge, broker, pbx or store), and how.")


Missing = Callable[[], dict[str, str]]
Scrape = Callable[[], Awaitable[bytes]]

_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Readiness, "description": "Something is missing."}}
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The metrics."}
}


def make_app(missing: Missing, scrape: Scrape) -> FastAPI:
    """Return the pages; `missing` says what is not ready, `scrape` gives the text of the metrics."""
    app = FastAPI(
        title="Phone terminal bridge", version=version("phoneterm"), docs_url=None, redoc_url=None,
        description="Health and metrics of one bridge.",
    )  # fmt: skip

    async def healthz() -> Alive:
        """Say that the bridge is alive."""
        return Alive(status="alive")

    async def readyz(response: Response) -> Readiness:
        """Say whether the bridge is ready, and what is missing if not."""
        found = missing()
        response.status_code = 503 if found else 200
        return Readiness(status="not ready" if found else "ready", missing=found)

    async def metrics() -> PlainTextResponse:
        """Give all figures as Prometheus reads them."""
        return PlainTextResponse(await scrape(), media_type=CONTENT_TYPE_LATEST)

    _add_page(app, "/healthz", healthz)
    _add_page(app, "/readyz", readyz, responses=_NOT_READY)
    _add_page(app, "/metrics", metrics, responses=_TEXT, response_class=PlainTextResponse)
    app.add_exception_handler(404, _say_unknown)
    app.add_exception_handler(405, _say_read_only)
    app.add_exception_handler(Exception, _say_failed)
    return app


def _add_page(app: FastAPI, path: str, page: Callable, **options: Any) -> None:
    """Serve a page to GET, and its head to HEAD."""
    app.add_api_route(path, page, methods=["GET"], **options)
    app.add_api_route(path, page, methods=["HEAD"], include_in_schema=False, **options)


async def _say_unknown(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "There is no such page; there are /healthz, /readyz and /metrics."}, 404)


async def _say_read_only(_request: Request, _error: Exception) -> JSONResponse:
    detail = "This page can only be read, with GET or HEAD."
    return JSONResponse({"detail": detail}, 405, {"Allow": "GET, HEAD"})


async def _say_failed(request: Request, error: Exception) -> JSONResponse:
    structlog.get_logger().error("page-failed", path=shorten(request.url.path), error=type(error).__name__)
    return JSONResponse({"detail": "The page could not be made; the bridge's log says more."}, 500)
