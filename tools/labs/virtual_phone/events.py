"""Events: what happened, told at once to everyone who listens, with the time.

Does not store them. Times are milliseconds of the monotonic clock (CLOCK_MONOTONIC), the same in every process.
"""

import time
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


def now_ms() -> float:
    """Return the time of events, to the microsecond."""
    return round(time.monotonic_ns() / 1e6, 3)


class Events:
    """The listeners."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; return a function that ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, name: str, /, **fields: Any) -> None:
        """Tell every listener what happened now."""
        event = {"event": name, "time_ms": now_ms(), **fields}
        for listener in tuple(self._listeners):
            listener(event)

    def __len__(self) -> int:
        return len(self._listeners)
