"""Signs the console's cookie and its CSRF token, and reads them again. Keeps nothing, and knows no accounts.

The cookie says who has signed in, when, and a mark of the password's hash, so that it ends with that password. It is
signed (HMAC-SHA256) with a key of this start of the bridge: whoever has signed out stays out after the next one, too.
The CSRF token belongs to one cookie.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import NamedTuple

NAME = "phoneterm-console"
LIFE_S = 12 * 3600


class Session(NamedTuple):
    """What a cookie says. nonce: makes it differ from all others."""

    account: str
    mark: str
    signed_in_s: int
    nonce: str


class CookieSigner:
    """Signs with a key that nobody else has, and that is kept nowhere."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def begin(self, account: str, secret_hash: str) -> Session:
        """Return a new session of an account."""
        return Session(account, self.mark(secret_hash), int(time.time()), secrets.token_hex(8))

    def renew(self, session: Session, secret_hash: str) -> Session:
        """Return the session of the same pages with another password."""
        return session._replace(mark=self.mark(secret_hash), signed_in_s=int(time.time()))

    def mark(self, secret_hash: str) -> str:
        """Return the mark of a password's hash."""
        return self._sign(f"mark {secret_hash}")[:16]

    def write(self, session: Session) -> str:
        """Return the cookie."""
        text = base64.urlsafe_b64encode(json.dumps(session).encode()).decode()
        return f"{text}.{self._sign(f'cookie {text}')}"

    def read(self, cookie: str) -> Session | None:
        """Return what a cookie says; None for one that is not ours, or is too old."""
        text, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(f"cookie {text}").encode()):
            return None
        session = Session(*json.loads(base64.urlsafe_b64decode(text)))
        return session if is_in_time(session) else None

    def csrf(self, session: Session) -> str:
        """Return the token that a change must carry."""
        return self._sign(f"csrf {session.nonce}")

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def is_in_time(session: Session) -> bool:
    """Return whether a session is not too old yet."""
    return 0 <= time.time() - session.signed_in_s <= LIFE_S
