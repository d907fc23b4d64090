"""How terminals behave on the line: who says too much, and which name two boards use in turn. Reads no sockets.

Each becomes a trouble of the terminal, and a line of the journal, at most one in ten minutes for each terminal and
kind. A name counts as used by two when its client takes over from itself again and again, or when a start (`boot`)
speaks again after another one has spoken: no board does that alone. Who does so waits, each time twice as long. Ten
quiet minutes end a trouble. Times are monotonic seconds.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.store_trouble import describe_for
from phoneterm_bridge.store.troubles import EXCESS, TWICE
from phoneterm_bridge.terminals.troubles import Troubles

QUIET_S = 600.0
_WITHIN_S = 120.0
_FREE_TURNS = 3  # a board in bad radio may come back a few times while the broker has not noticed that it was away
_FREE_RETURNS = 1  # a hello of the start before may have been on its way
_FIRST_WAIT_S, _MOST_WAIT_S = 1.0, 60.0
_BOOTS_KEPT = 8
_BY_TURNS = "its client takes over from itself again and again"
_BY_BOOTS = "two starts of it speak in turn"


@dataclass
class _Line:
    """What is known of one terminal: when its client took over and when an earlier start came back, of late."""

    turns_s: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    returns_s: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    boots: dict[str, None] = field(default_factory=dict)
    last_s: dict[str, float] = field(default_factory=dict)  # kind of trouble -> when there was a reason for it
    told_s: dict[str, float] = field(default_factory=dict)  # kind of trouble -> when the journal was told


class LineWatch:
    """The watch of one bridge. `keep` must be called at times: it writes the journal, and ends what has passed."""

    def __init__(self, engine: sa.Engine, troubles: Troubles, now_s: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._troubles = troubles
        self._now_s = now_s
        self._lines: dict[str, _Line] = {}
        self._to_journal: list[tuple[str, str]] = []
        self._journalling = asyncio.Lock()

    def note_excess(self, tid: str, reason: str) -> None:
        """A terminal says or holds too much: `reason`, for the middle of a sentence."""
        self._begin(tid, EXCESS, reason)

    def note_take_over(self, tid: str) -> float:
        """A client takes over from itself; returns for how many seconds it has to wait before."""
        return self._judge(tid, self._line(tid).turns_s, _FREE_TURNS, _BY_TURNS)

    def note_boot(self, tid: str, boot: str) -> float:
        """A start of a terminal says hello; returns for how many seconds the answer has to wait."""
        line = self._line(tid)
        is_return = boot in line.boots and boot != next(reversed(line.boots))
        line.boots.pop(boot, None)
        line.boots[boot] = None
        if len(line.boots) > _BOOTS_KEPT:
            del line.boots[next(iter(line.boots))]
        return self._judge(tid, line.returns_s, _FREE_RETURNS, _BY_BOOTS) if is_return else 0.0

    def forget(self, tid: str) -> None:
        """A terminal was revoked or removed, or has new secrets: whoever used its name is out."""
        self._lines.pop(tid, None)
        for what in (EXCESS, TWICE):
            self._troubles.end(tid, what)

    async def keep(self) -> None:
        """Write the journal, and end the troubles that nothing was heard of for `QUIET_S`."""
        for tid, line in self._lines.items():
            for what, last_s in tuple(line.last_s.items()):
                if self._now_s() - last_s >= QUIET_S:
                    del line.last_s[what]
                    self._troubles.end(tid, what)
        async with self._journalling:  # two callers at once would write a line twice
            while self._to_journal:
                tid, what = self._to_journal[0]
                try:
                    await asyncio.to_thread(Directory(self._engine, "bridge").note_line, tid, what)
                except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:  # the next call tries again
                    structlog.get_logger().error("line-not-journalled", why=describe_for(self._engine, error))
                    return
                except SetupProblem:
                    pass  # it was removed meanwhile
                del self._to_journal[0]

    def _line(self, tid: str) -> _Line:
        return self._lines.setdefault(tid, _Line())

    def _judge(self, tid: str, times_s: deque[float], free: int, reason: str) -> float:
        """Count one more, and return how long to wait for it."""
        now_s = self._now_s()
        times_s.append(now_s)
        waits_s = sum(_wait_s(number) for number in range(len(times_s)))
        while times_s and now_s - times_s[0] > _WITHIN_S + waits_s:
            times_s.popleft()
        over = len(times_s) - free
        if over <= 0:
            return 0.0
        self._begin(tid, TWICE, reason)
        return _wait_s(over - 1)

    def _begin(self, tid: str, what: str, reason: str) -> None:
        now_s, line = self._now_s(), self._line(tid)
        line.last_s[what] = now_s
        self._troubles.begin(tid, what, reason)
        if now_s - line.told_s.get(what, -QUIET_S) >= QUIET_S:
            line.told_s[what] = now_s
            self._to_journal.append((tid, reason))


def _wait_s(number: int) -> float:
    return min(_FIRST_WAIT_S * 2**number, _MOST_WAIT_S)
