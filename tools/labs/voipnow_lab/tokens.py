"""OAuth of the stand-in: `POST /oauth/token.php` for an app, and which tokens are good. Does not serve anything else.

A token is good for as long as `expires_in` said, and not a second longer; `expire_all` ends all of them at once.
"""

import json
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from voipnow_lab.https_server import Answer, Request

PATH = "/oauth/token.php"
_NEEDED = {"grant_type": "client_credentials", "type": "unifiedapi"}


class Tokens:
    """One app and its tokens. is_trusted: the administrator has marked the app as trusted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """There is an app, and no token yet."""
        self.client_id = secrets.token_hex(8)
        self.client_secret = secrets.token_hex(16)
        self.is_trusted = True
        self.lifetime_s = 3600
        self.issued = 0
        self._clock = clock
        self._until_s: dict[str, float] = {}

    def answer(self, request: Request) -> Answer:
        """Answer a request for a token."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode("latin-1")).items()}
        if request.method != "POST" or any(form.get(name) != value for name, value in _NEEDED.items()):
            return _refuse("invalid_request")
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return _refuse("invalid_client")
        if not self.is_trusted:
            return _refuse("unauthorized_client")
        if not form.get("redirect_uri"):
            return _refuse("invalid_request")
        token = f"1|{secrets.token_hex(4)}~{secrets.token_urlsafe(24)}|{int(time.time())}"
        self._until_s[token] = self._clock() + self.lifetime_s
        self.issued += 1
        fields = {"access_token": token, "expires_in": self.lifetime_s, "token_type": "Bearer"}
        return Answer(body=json.dumps(fields).encode(), headers={"Content-Type": "application/json"})

    def is_good(self, request: Request) -> bool:
        """Say whether a request carries a token that is still good."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and self.has(token)

    def has(self, token: str) -> bool:
        """Say whether this token is still good."""
        return self._until_s.get(token, 0.0) > self._clock()

    def expire_all(self) -> None:
        """End every token, whatever was said of it."""
        self._until_s.clear()


def _refuse(error: str) -> Answer:
    return Answer(400, json.dumps({"error": error}).encode(), {"Content-Type": "application/json"})
