"""Lets only requests to the pages that are meant for them: by name of the host, and only to read. Knows no page.

A web page elsewhere can have a browser ask 127.0.0.1 under a name of its own (DNS rebinding), and read the answer. So
a name must be known: localhost, the host of the settings, or one of `http.names`. An address is always right, because
no page elsewhere has it as its origin.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from starlette.responses import JSONResponse

from phoneterm_bridge.settings.http import HttpSettings

_App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
READING = ("GET", "HEAD")


class Door:
    """The pages behind a check of every request."""

    def __init__(self, app: _App, settings: HttpSettings) -> None:
        self._app = app
        self._names = {name.lower() for name in ("localhost", settings.host, *settings.names)}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        answer: JSONResponse | None = None
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if scope["method"] not in READING:
            detail = "This page can only be read, with GET or HEAD."
            answer = JSONResponse({"detail": detail}, 405, {"Allow": ", ".join(READING)})
        elif len(hosts) != 1 or not is_known_host(hosts[0], self._names):
            detail = "These pages have another name; http.names in the settings adds one."
            answer = JSONResponse({"detail": detail}, 421)
        await (answer or self._app)(scope, receive, send)


def is_known_host(host: str, names: Collection[str]) -> bool:
    """Return whether a host, with its port if any, is one of these names, in small letters, or an address."""
    name = host.lower()
    if not name.endswith("]"):
        before, colon, port = name.rpartition(":")
        if colon and port.isascii() and port.isdigit():
            name = before
    if name in names:
        return True
    try:
        address = ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return getattr(address, "scope_id", None) is None  # a scope can be any text, and no request names one
