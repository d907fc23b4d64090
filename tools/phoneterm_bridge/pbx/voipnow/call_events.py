"""Has VoipNow tell the bridge of calls (phoneCallEvents): registers where, and takes that back. Does not take events.

What VoipNow sends is not signed and not complete (no hold, no transfer), and proves nothing: an event only makes the
bridge look at the calls. So all that is needed is an address that nobody can guess: `url` of the settings and a key
that is new at each start. What an earlier start has registered, and did not take back, begins with the same url.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterable

import structlog

from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi

_AGAIN_S = 60.0
TYPES = ("0", "1", "2", "3", "4")  # dialled in, dialled out, hung up, answered, answered by the other party


class CallEvents:
    """The registrations of one start. url: the address that leads to the bridge's pages.

    is_due: set when VoipNow may have to be told anew.
    """

    def __init__(self, api: UnifiedApi, url: str) -> None:
        """Register nothing yet."""
        self.key = secrets.token_urlsafe(24)
        self.is_due = asyncio.Event()
        self._api = api
        self._prefix = f"{url}/"
        self._registered: set[str] = set()

    async def keep_registered(self, extensions: Callable[[], Iterable[str]]) -> None:
        """Register whatever `extensions` returns, for ever; what fails is told once, and tried again later."""
        told, pause_s = "", None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self.is_due.wait()
            self.is_due.clear()
            try:
                await self.register(extensions())
                told, pause_s = "", None
            except (NotDone, NoAnswer, Refused, AppRefused) as error:
                pause_s = _AGAIN_S
                if told != str(error):
                    told = str(error)
                    structlog.get_logger().warning("events-not-registered", why=told)

    async def register(self, extensions: Iterable[str]) -> None:
        """Have VoipNow tell of these extensions and of no others; raises as `UnifiedApi` does, and can be repeated."""
        wanted = set(extensions)
        for extension in sorted(self._registered - wanted):
            await self._remove(extension)
        for extension in sorted(wanted - self._registered):
            await self._remove(extension)
            for kind in TYPES:
                await self._api.add_event(extension, kind, self._prefix + self.key)
            self._registered.add(extension)

    async def remove(self) -> None:
        """Take everything back; raises as `UnifiedApi` does."""
        for extension in sorted(self._registered):
            await self._remove(extension)

    async def _remove(self, extension: str) -> None:
        """Remove this bridge's registrations for an extension, of any start; others are left alone."""
        self._registered.discard(extension)
        for event in await self._api.events(extension):
            if event.url.startswith(self._prefix):
                await self._api.remove_event(extension, event.kind, event.id)
