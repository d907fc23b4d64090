"""What terminals are told, behind whatever moves a caller. Does not know what it is.

While no command is being decided, it is done at once. While one is, it waits, and is done in its order, one piece a
turn of the event loop until nothing waits any more: so whatever has arrived meanwhile goes first, and what comes of
being told, the next commands, comes one after the other instead of in bursts that wait for each other. What has waited
for `MOST_WAIT_S`, too short for anybody to notice, is done in the next turn. Whoever sends something need not know any
of this.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sized

import structlog

MOST_WAIT_S = 0.02


class Outbox:
    """What waits on one event loop, as long as `deciding` has something in it."""

    def __init__(self, deciding: Sized, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing waits yet. deciding: the commands that are being decided; clock: monotonic seconds."""
        self._deciding = deciding
        self._clock = clock
        self._waiting: deque[tuple[float, Callable[..., object], tuple]] = deque()
        self._is_working = False

    def send(self, work: Callable[..., object], *arguments: object) -> None:
        """Call `work` after all that waits: now, if nothing has to or if this is a part of what waited."""
        if self._is_working or not (self._waiting or self._deciding):
            work(*arguments)
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)
        self._waiting.append((self._clock() + MOST_WAIT_S, work, arguments))

    def flush(self) -> None:
        """Do everything that waits now."""
        while self._waiting:
            self._do_next()

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
            structlog.get_logger().exception("not-sent", error=type(error).__name__)
        finally:
            self._is_working = False
