"""Lets only its user onto the page: whoever has the address that was printed, with its secret, gets a cookie.

Any web page in a browser, and any user of this computer, can ask 127.0.0.1; neither knows the secret. What is pressed
has to come from the page itself, which says so with a second one. Does not know the page.
"""

import hmac
import secrets
from urllib.parse import urlsplit

from phoneterm_bridge.console.site import Refused
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response


class Entry:
    """The secrets of one run; those of an earlier one are worthless."""

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(24)
        self.page_secret = secrets.token_urlsafe(24)

    def admit(self, request: Request) -> Response:
        """Give a cookie to whoever has come by the printed address."""
        if not hmac.compare_digest(request.path_params["secret"].encode(), self.secret.encode()):
            raise Refused(403, _ELSEWHERE)
        response = RedirectResponse("/", 303)
        response.set_cookie(_cookie_of(request), self.secret, path="/", httponly=True, samesite="lax")
        return response

    def require(self, request: Request) -> None:
        """Refuse whoever has no cookie; and what comes from another page, if it is to change something."""
        if not hmac.compare_digest(request.cookies.get(_cookie_of(request), "").encode(), self.secret.encode()):
            raise Refused(403, _ELSEWHERE)
        if request.method in ("GET", "HEAD"):
            return
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
            raise Refused(403, "This came from another page and was not carried out.")
        if not hmac.compare_digest(request.headers.get("x-csrf-token", "").encode(), self.page_secret.encode()):
            raise Refused(403, "The page is too old, so this was not carried out: load it again.")


_ELSEWHERE = "Open the address that `phoneterm run` has printed when it started; each run has another one."


def _cookie_of(request: Request) -> str:
    """Return the name of the cookie: all ports of a host share their cookies."""
    return f"phoneterm_desk_{request.scope['server'][1]}"
