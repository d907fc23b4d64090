"""Ends waits that take too long. Does not know what is waited for.

There is one timer for all waits, set for the oldest of them, because hardly any wait ever takes too long. A timer for
each, as in `asyncio.timeout`, would take most of a short wait's processor time.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, cast

_T = TypeVar("_T")


class SharedDeadline:
    """A deadline of some seconds for many waits; a task waits for one thing at a time."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._until_s: dict[asyncio.Task, float] = {}  # of each waiting task, by the loop's clock; the oldest first
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._until_s)

    @property
    def has_timer(self) -> bool:
        """Say whether a timer is running."""
        return self._timer is not None

    async def wait(self, work: Awaitable[_T]) -> _T:
        """Return the result of the work; if it takes too long, cancel it and raise TimeoutError."""
        loop, task = asyncio.get_running_loop(), cast(asyncio.Task, asyncio.current_task())
        cancellations = task.cancelling()
        self._until_s[task] = until_s = loop.time() + self._most_s
        if self._timer is None:
            self._timer = loop.call_at(until_s, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._until_s or task.uncancel() > cancellations:
                raise  # somebody else has cancelled it
            raise TimeoutError from None
        finally:
            self._until_s.pop(task, None)

    def _look(self) -> None:
        """End the waits that have taken too long."""
        loop = asyncio.get_running_loop()
        for task, until_s in tuple(self._until_s.items()):
            if until_s > loop.time():
                self._timer = loop.call_at(until_s, self._look)
                return
            del self._until_s[task]
            task.cancel()
        self._timer = None
