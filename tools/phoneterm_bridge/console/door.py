"""Lets requests to the console in, or not, before any page sees them; gives every answer the same strict headers.

A page elsewhere can have a browser ask for a name of its own that leads here, so a name must be known (see web.door).
What a page may load comes from here alone, and no code is in the pages themselves. Does not know who asks.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse

from phoneterm_bridge.web.door import is_known_host

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # without it a browser would not say where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class ConsoleDoor:
    """An application behind a check of every request. names: the host names by which it is asked for."""

    def __init__(self, app: App, names: Iterable[str], remedy: str = "") -> None:
        """remedy: what adds a name, for the sentence that refuses one; nothing does when it is empty."""
        self._app = app
        self._names = {name.lower() for name in ("localhost", *names)}
        self._remedy = remedy

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        await (self._refuse(scope) or self._app)(scope, receive, send_with_headers)

    def _refuse(self, scope: MutableMapping[str, Any]) -> JSONResponse | None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if scope["method"] not in METHODS:
            return JSONResponse({"detail": "Nothing here is done that way."}, 405, {"Allow": ", ".join(METHODS)})
        if len(hosts) != 1 or not is_known_host(hosts[0], self._names):
            more = f"; {self._remedy} adds one" if self._remedy else ""
            return JSONResponse({"detail": f"These pages have another name{more}."}, 421)
        return None
