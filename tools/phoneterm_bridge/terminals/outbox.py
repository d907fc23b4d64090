"""Work that can wait a moment, so that callers are moved first. Does not know what the work is.

A command on its way to the PBX is urgent; telling its terminal what came of it is not. While nothing is urgent, such
work is done at once. While something is, it waits, and is done in its order, one piece a turn of the event loop until
nothing waits any more: so whatever has arrived meanwhile goes first, and what comes of being told, the next commands,
comes one after the other instead of in bursts that wait for each other. What has waited for `MOST_WAIT_S`, too short
for anybody to notice, is done in the next turn. What must not overtake it goes through `in_order`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import structlog

MOST_WAIT_S = 0.02


class Outbox:
    """The work of one event loop that waits. urgent: how much is under way that goes first; who does it counts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing waits yet. clock: monotonic seconds."""
        self.urgent = 0
        self._clock = clock
        self._waiting: deque[tuple[float, Callable[..., object], tuple]] = deque()
        self._is_working = False

    def do(self, work: Callable[..., object], *arguments: object) -> None:
        """Call `work` soon."""
        if not self.urgent or self._waiting:
            self.in_order(work, *arguments)
        else:
            self._wait(work, arguments)
            asyncio.get_running_loop().call_soon(self._take_turn)

    def in_order(self, work: Callable[..., object], *arguments: object) -> None:
        """Call `work` after all that waits: now, if nothing does or if this is a part of what waited."""
        if self._is_working or not self._waiting:
            work(*arguments)
        else:
            self._wait(work, arguments)

    def flush(self) -> None:
        """Do everything that waits now."""
        while self._waiting:
            self._do_next()

    def _wait(self, work: Callable[..., object], arguments: tuple) -> None:
        self._waiting.append((self._clock() + MOST_WAIT_S, work, arguments))

    def _take_turn(self) -> None:
        """Do one piece, and all that has waited too long."""
        while self._waiting:
            self._do_next()
            if self._waiting and self._waiting[0][0] > self._clock():
                asyncio.get_running_loop().call_soon(self._take_turn)
                return

    def _do_next(self) -> None:
        _, work, arguments = self._waiting.popleft()
        self._is_working = True
        try:
            work(*arguments)
        except Exception as error:  # a mistake in one piece must not keep the others back
            structlog.get_logger().exception("not-done-afterwards", error=type(error).__name__)
        finally:
            self._is_working = False
