"""The app's token: got when it is needed, renewed before it ends, given up when VoipNow takes it no more.

Does not send other requests. Only `expires_in` says how long a token is good; it is renewed a little before. A token
may have any printable characters. There is one request at a time, whoever waits for its result.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient, Reply
from phoneterm_bridge.pbx.voipnow.reading import read_error
from phoneterm_bridge.settings.voipnow import VoipNowSettings

PATH = "/oauth/token.php"
_RENEW_BEFORE_S = 60.0
_RENEW_AT_LEAST_AFTER = 0.5  # of its life, for tokens that live shorter than that
_UNTOLD_LIFE_S = 300.0  # it does not say how long
_MOST_CHARS = 4096
_MOST_LIFE_S = 86_400
_REFUSING = (400, 401, 403)
_SUCCESS = 200


class AppToken:
    """The token of one app. clock: monotonic seconds."""

    def __init__(
        self, settings: VoipNowSettings, client: HttpsClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Have none yet."""
        self._settings = settings
        self._client = client
        self._clock = clock
        self.refused = 0  # how many that were still good by their time were not taken
        self._text = ""
        self._until_s = 0.0
        self._getting = asyncio.Lock()

    async def get(self) -> str:
        """Return a token that is still good; AppRefused or NotDone when there is none to be had."""
        async with self._getting:
            if not self._text or self._clock() >= self._until_s:
                await self._renew()
            return self._text

    def drop(self, token: str) -> None:
        """VoipNow does not take this token any more."""
        if token == self._text:
            self._text = ""
            self.refused += 1

    async def _renew(self) -> None:
        settings = self._settings
        form = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "grant_type": "client_credentials",
            "type": "unifiedapi",
            "redirect_uri": settings.redirect_uri or settings.url,
        }
        asked_s = self._clock()
        try:
            reply = await self._client.send("POST", PATH, {}, form=form)
        except NoAnswer as lost:  # a token that nobody got changes nothing
            raise NotDone(f"asked for a token, {lost}") from None
        code = read_error(reply.document)
        if reply.status in _REFUSING or (reply.status == _SUCCESS and code):
            raise AppRefused(code or f"it answers {reply.status}")
        self._text = _token_in(reply)
        life_s = _life_in(reply)
        self._until_s = asked_s + max(life_s - _RENEW_BEFORE_S, life_s * _RENEW_AT_LEAST_AFTER)


def _token_in(reply: Reply) -> str:
    text = _field(reply, "access_token")
    is_right = isinstance(text, str) and text.isascii() and text.isprintable() and " " not in text
    if reply.status != 200 or not is_right or not 0 < len(text) <= _MOST_CHARS:
        raise NotDone(f"it answers {reply.status} without a token")
    return text


def _life_in(reply: Reply) -> float:
    told = _field(reply, "expires_in")
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 10:
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int | float) or not told > 0:
        return _UNTOLD_LIFE_S
    return float(min(told, _MOST_LIFE_S))


def _field(reply: Reply, name: str) -> Any:
    return reply.document.get(name) if isinstance(reply.document, dict) else None
