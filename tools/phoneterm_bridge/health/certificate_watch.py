"""Looks now and then at the certificate that the broker shows, and says what is wrong with it. Renews nothing.

It connects as a client does, so a renewed file that the broker has not taken yet does not count. A listener that does
not answer leaves the last look in force: others notice that. Trouble is logged once when it begins and once when it is
over. Times are seconds since 1970, as in certificates.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from phoneterm_bridge.broker.shown_certificate import ShownCertificate, read_shown
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem

SOON_DAYS = 21
_DAY_S = 86400
_EVERY_S = 900


class CertificateWatch:
    """`shown`: the certificate of the last look, None before it."""

    def __init__(
        self, settings: BrokerSettings, find_port: Callable[[], int], now_s: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._find_port = find_port
        self._now_s = now_s
        self._is_asked = asyncio.Event()
        self._logged: str | None = None
        self.shown: ShownCertificate | None = None

    def look_now(self) -> None:
        """Look at once, because the broker may show another one."""
        self._is_asked.set()

    def failing(self) -> str | None:
        """Return a sentence when no terminal gets in, because the certificate is not accepted."""
        shown = self.shown
        if shown is None:
            return None
        if shown.distrust:
            return f"The broker shows a certificate that terminals do not accept: {shown.distrust}."
        if self._now_s() >= shown.ends_s:
            return f"The certificate that the broker shows ended on {name_day(shown.ends_s)}: terminals refuse it."
        if self._now_s() < shown.starts_s:
            return f"The certificate that the broker shows begins only on {name_day(shown.starts_s)}."
        return None

    def ending(self) -> str | None:
        """Return a sentence when it ends soon, but has not ended."""
        if self.shown is None or self.failing():
            return None
        days = int((self.shown.ends_s - self._now_s()) // _DAY_S)
        if days >= SOON_DAYS:
            return None
        return f"The broker's certificate ends in {days} days, on {name_day(self.shown.ends_s)}."

    async def run(self) -> None:
        """Look every quarter of an hour, and whenever asked, for ever."""
        while True:
            self._is_asked.clear()
            with suppress(OSError, TimeoutError, SetupProblem):
                self.shown = await read_shown(self._settings, self._find_port())
            self._log()
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._is_asked.wait()

    def _log(self) -> None:
        sentence = self.failing() or self.ending()
        kind = sentence and ("failing" if self.failing() else "ending")
        if kind != self._logged:
            self._logged = kind
            if sentence:
                structlog.get_logger().warning("certificate-in-trouble", why=sentence)
            else:
                structlog.get_logger().info("certificate-out-of-trouble")


def name_day(moment_s: float) -> str:
    """Return the day of a moment for a sentence, in UTC, which certificates use."""
    return f"{datetime.fromtimestamp(moment_s, UTC):%-d %B %Y}"
