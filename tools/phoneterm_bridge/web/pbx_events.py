"""Takes the events that a PBX sends over the web, at an address that nobody can guess. Does not read them.

What stands in a request is worth nothing, because nobody has signed it; that one came is all that is passed on. Every
other request goes on to the pages.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import Response

from phoneterm_bridge.pbx.port import WebHook

_App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
_METHODS = ("GET", "POST")
_TAKEN = 204


class PbxEvents:
    """The pages behind a look at every request for the key, whatever stands before it in the path."""

    def __init__(self, app: _App, web_hook: WebHook) -> None:
        self._app = app
        self._web_hook = web_hook

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        last = str(scope["path"]).rpartition("/")[2]
        if scope["method"] not in _METHODS or not hmac.compare_digest(last.encode(), self._web_hook.key.encode()):
            await self._app(scope, receive, send)
            return
        self._web_hook.receive()
        await Response(status_code=_TAKEN)(scope, receive, send)
