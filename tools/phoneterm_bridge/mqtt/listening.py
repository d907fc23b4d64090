"""What the bridge subscribes to: at its own broker one filter for all terminals, at another one a filter for each.

Does not connect, and reads no messages. A broker that knows no budgets hands on everything by one connection, in order,
so a terminal that floods is in front of all others, however quickly its messages are dropped here. The bridge therefore
leaves the filter of such a terminal for a while, each time twice as long; the broker then throws its messages away.
Times are monotonic seconds.
"""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog
from phoneterm.core import messages

from phoneterm_bridge.mqtt.budget import TOO_MUCH

_FIRST_DEAF_S, _MOST_DEAF_S = 5.0, 300.0
_FORGOTTEN_S = 600.0

# Subscribes to more filters (True), or to fewer.
Change = Callable[[bool, Iterable[str]], None]


class Listening(Protocol):
    """What a link subscribes to."""

    def filters(self) -> tuple[str, ...]:
        """Return what a new connection subscribes to."""

    def begin(self, change: Change) -> None:
        """A connection has subscribed to what `filters` returned last, and can change that."""

    def end(self) -> None:
        """That connection is lost."""


class ListeningToAll:
    """Listens to whatever any terminal says."""

    def __init__(self, base: str) -> None:
        self._filters = (messages.bridge_filter(base),)

    def filters(self) -> tuple[str, ...]:
        """Return the one filter."""
        return self._filters

    def begin(self, change: Change) -> None:
        """Do nothing: the filter never changes."""

    def end(self) -> None:
        """Do nothing."""


class ListeningToEach:
    """Listens to each terminal that there is or was, and to `own`, a topic of the bridge's own.

    `follow` must be called a few times a second.
    """

    def __init__(
        self, base: str, own: str, find_tids: Callable[[], Iterable[str]], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """find_tids: returns all terminals, also revoked ones, so that what they leave at the broker is noticed."""
        self._base = base
        self._own = own
        self._find_tids = find_tids
        self._now_s = now_s
        self._heard: dict[str, None] = {}
        self._deaf_until_s: dict[str, float] = {}
        self._last: dict[str, tuple[float, float]] = {}  # until when a terminal was not heard last, and how long
        self._change: Change | None = None

    def filters(self) -> tuple[str, ...]:
        """Return the filters of all terminals but those that are not heard now, and the bridge's own topic."""
        self._heard.clear()
        self._heard.update(dict.fromkeys(self._new(self._find_tids())))
        return (self._own, *map(self._filter_of, self._heard))

    def begin(self, change: Change) -> None:
        """A connection has subscribed to what `filters` returned last; catch up with what has happened since."""
        self._change = change
        self.add(self._find_tids())

    def end(self) -> None:
        """That connection is lost."""
        self._change = None

    def add(self, tids: Iterable[str]) -> None:
        """Listen to terminals, unless they are heard already or must not be now."""
        if self._change is not None and (new := self._new(tids)):
            self._heard.update(dict.fromkeys(new))
            self._change(True, map(self._filter_of, new))

    def leave(self, tid: str) -> None:
        """Do not listen to a terminal for a while, because it says far too much."""
        if tid not in self._heard or self._change is None:
            return
        now_s = self._now_s()
        until_s, for_s = self._last.get(tid, (-_FORGOTTEN_S, 0.0))
        for_s = min(for_s * 2, _MOST_DEAF_S) if now_s - until_s < _FORGOTTEN_S else _FIRST_DEAF_S
        self._deaf_until_s[tid] = now_s + for_s
        self._last[tid] = (now_s + for_s, for_s)
        del self._heard[tid]
        self._change(False, (self._filter_of(tid),))
        structlog.get_logger().warning("terminal-not-heard", tid=tid, for_s=for_s, why=TOO_MUCH)

    def forgive(self, tid: str) -> None:
        """Listen to a terminal again at once: it has new secrets, so it is perhaps another board."""
        self._last.pop(tid, None)
        if self._deaf_until_s.pop(tid, None) is not None:
            self.add((tid,))

    def follow(self) -> None:
        """Listen again to terminals that were not heard for long enough."""
        if not self._deaf_until_s or self._change is None:
            return
        now_s = self._now_s()
        if over := [tid for tid, until_s in self._deaf_until_s.items() if now_s >= until_s]:
            for tid in over:
                del self._deaf_until_s[tid]
                structlog.get_logger().info("terminal-heard-again", tid=tid)
            self.add(over)

    def _new(self, tids: Iterable[str]) -> list[str]:
        """Return those that should be heard and are not; a name that none may have could be a wildcard."""
        heard, deaf = self._heard, self._deaf_until_s
        return [tid for tid in tids if tid not in heard and tid not in deaf and messages.is_tid(tid)]

    def _filter_of(self, tid: str) -> str:
        return messages.bridge_filter(self._base).replace("+", tid)
