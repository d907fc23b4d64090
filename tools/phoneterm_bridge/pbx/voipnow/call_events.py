"""Has VoipNow tell the bridge of calls (phoneCallEvents): registers where, and takes that back. Does not take events.

What VoipNow sends is not signed and not complete (no hold, no transfer), and proves nothing: an event only makes the
bridge look at the calls. So all that is needed is an address that nobody can guess: `url` of the settings and a key
that is new at each start. What an earlier start has registered, and did not take back, is removed: at extensions that
have a terminal by its url, and wherever else by what is kept of it, be it that the terminal is gone or the url another.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterable

import structlog

from phoneterm_bridge.pbx.voipnow.failures import FAILURES, Refused
from phoneterm_bridge.pbx.voipnow.kept_registrations import KeptRegistrations, Registered
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi

_AGAIN_S = 60.0
_NOT_THERE = (400, 404)
TYPES = ("0", "1", "2", "3", "4")  # dialled in, dialled out, hung up, answered, answered by the other party


class CallEvents:
    """The registrations of one start. url: the address that leads to the bridge's pages; "" registers nothing.

    is_due: set when VoipNow may have to be told anew. kept: what this start and earlier ones have registered.
    """

    def __init__(self, api: UnifiedApi, url: str, kept: KeptRegistrations) -> None:
        """Register nothing yet."""
        self.key = secrets.token_urlsafe(24)
        self.is_due = asyncio.Event()
        self._api = api
        self._url = url
        self._prefix = f"{url}/"
        self._kept = kept
        self._left: set[Registered] = set()  # VoipNow does not let this start remove them
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
            except FAILURES as error:
                pause_s = _AGAIN_S
                if told != str(error):
                    told = str(error)
                    structlog.get_logger().warning("events-not-registered", why=told)

    async def register(self, extensions: Iterable[str]) -> None:
        """Have VoipNow tell of these extensions and of no others; raises as `UnifiedApi` does, and can be repeated."""
        wanted = set(extensions) if self._url else set()
        await asyncio.to_thread(self._kept.add, [Registered(one, self._prefix) for one in wanted])
        for extension in sorted(wanted - self._registered):
            await self._remove(Registered(extension, self._prefix))
            for kind in TYPES:
                await self._api.add_event(extension, kind, self._prefix + self.key)
            self._registered.add(extension)
        await self._clean_up(wanted)

    async def remove(self) -> None:
        """Take everything back; raises as `UnifiedApi` does."""
        await self._clean_up(set())

    async def _clean_up(self, wanted: set[str]) -> None:
        """Remove all that was ever registered at other extensions, or with another url."""
        current = {Registered(one, self._prefix) for one in wanted} if self._url else set()
        gone = set()
        try:
            for one in sorted(await asyncio.to_thread(self._kept.read) - current - self._left):
                try:
                    await self._remove(one)
                    gone.add(one)
                except Refused as refused:
                    if refused.status in _NOT_THERE:  # nor has it the extension any more
                        gone.add(one)
                        continue
                    self._left.add(one)
                    structlog.get_logger().warning(
                        "events-left-behind", extension=one.extension, url=one.prefix, why=str(refused)
                    )
        finally:
            await asyncio.to_thread(self._kept.forget, gone)

    async def _remove(self, one: Registered) -> None:
        """Remove this bridge's registrations at an extension, of any start; others are left alone."""
        if one.prefix == self._prefix:
            self._registered.discard(one.extension)
        for event in await self._api.events(one.extension):
            key = event.url.removeprefix(one.prefix)
            if key != event.url and "/" not in key:  # else it is somebody's whose url only begins alike
                await self._api.remove_event(one.extension, event.kind, event.id)
