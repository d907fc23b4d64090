"""The power of a chip, simulated or emulated: on, off, and off for a moment, one after the other and never half done.

Does not know what a chip is told at its start or what a phone shows; the callbacks do. Work that has begun is finished
even if nobody waits for it any more, so that no process is left between two states.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

_LEAST_S_BETWEEN_BOOTS = 0.2  # firmware that resets at once must not take all of the computer's time
_BITE_LATE_S = 0.2  # on a busy computer a feeding may be that late


class _Chip(Protocol):
    async def power_off(self) -> None: ...


ChipT = TypeVar("ChipT", bound=_Chip)


class Power(Generic[ChipT]):
    """At most one chip at a time: `start` makes one for a cause, `gone` is called when it has lost its power."""

    def __init__(self, start: Callable[[str], Awaitable[ChipT]], gone: Callable[[], None]) -> None:
        self.chip: ChipT | None = None
        self._start, self._gone = start, gone
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._watchdog: asyncio.TimerHandle | None = None

    async def on(self, cause: str) -> None:
        """Start a chip, unless one runs."""
        await asyncio.shield(self._begin(self._on(cause)))

    async def off(self) -> None:
        """Cut the power."""
        await asyncio.shield(self._begin(self._off()))

    async def restart(self, cause: str) -> None:
        """Cut the power for a moment."""
        await asyncio.shield(self._begin(self._restart(cause, self.chip)))

    def restart_later(self, cause: str) -> None:
        """Restart the chip that runs now, after a short while."""
        self._begin(self._restart_later(cause, self.chip))

    def feed_watchdog(self, timeout_ms: int) -> None:
        """Restart the chip in `timeout_ms` unless this is called again; 0 stops the watchdog."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if timeout_ms:
            loop = asyncio.get_running_loop()
            self._watchdog = loop.call_later(timeout_ms / 1000 + _BITE_LATE_S, self.restart_later, "watchdog")

    async def close(self) -> None:
        """Cut the power for good."""
        self._is_closing = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.off()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _on(self, cause: str) -> None:
        async with self._lock:
            if self.chip is None and not self._is_closing:
                self.chip = await self._start(cause)

    async def _off(self) -> None:
        async with self._lock:
            await self._cut()

    async def _restart(self, cause: str, chip: ChipT | None) -> None:
        async with self._lock:
            if chip is self.chip and not self._is_closing:
                await self._cut()
                self.chip = await self._start(cause)

    async def _restart_later(self, cause: str, chip: ChipT | None) -> None:
        await asyncio.sleep(_LEAST_S_BETWEEN_BOOTS)
        if chip is not None:
            await self._restart(cause, chip)

    async def _cut(self) -> None:
        self.feed_watchdog(0)
        if self.chip is not None:
            chip, self.chip = self.chip, None
            await chip.power_off()
            self._gone()
