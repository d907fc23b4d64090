"""Delays messages to terminals while commands are being decided. Does not know the messages.

While no command is being decided, a message is sent at once. Otherwise messages wait, and go out in order, one in each
turn of the event loop until none is left. So newly arrived commands go first, and the terminals' next commands come one
after the other instead of in bursts that wait for each other. A message that has waited for `MOST_WAIT_S`, which nobody
can notice, is sent in the next turn, unless there are more than `MOST_AT_ONCE` of them: even then a turn stays short.
Callers need not know any of this.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sized

import structlog

MOST_WAIT_S = 0.02
MOST_AT_ONCE = 16


class Outbox:
    """The messages that wait on one event loop while `deciding` has something in it."""

    def __init__(self, deciding: Sized, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing waits yet. deciding: the commands that are being decided; clock: monotonic seconds."""
        self._deciding = deciding
        self._clock = clock
        self._waiting: deque[tuple[float, Callable[..., object], tuple]] = deque()
        self._is_working = False

    def send(self, work: Callable[..., object], *arguments: object) -> None:
        """Call `work` after all that waits: at once if nothing must wait, or if called from a waiting piece."""
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
        """Send one piece, and those that have waited too long, up to `MOST_AT_ONCE`."""
        for _ in range(min(len(self._waiting), MOST_AT_ONCE)):
            self._do_next()
            if not self._waiting:
                return
            if self._waiting[0][0] > self._clock():
                break
        asyncio.get_running_loop().call_soon(self._take_turn)

    def _do_next(self) -> None:
        _, work, arguments = self._waiting.popleft()
        self._is_working = True
        try:
            work(*arguments)
        except Exception as error:  # a mistake in one piece must not hold up the others
            structlog.get_logger().exception("not-sent", error=type(error).__name__)
        finally:
            self._is_working = False
