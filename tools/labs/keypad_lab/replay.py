"""Drives the firmware's own scanner through a trace, on the schedule that the scanner asks for.

Does not debounce or judge. It can drive anything with `poll(elapsed_us)`, `changes` and `wait_ms`, like the firmware's
scanner. The first poll is at the first row. A poll that falls into a stall happens when the stall ends; the next one
follows after `wait_ms` plus `work_us` for the work itself. The replay ends 100 ms after the last row, when nothing more
can happen. In an idle stretch of over an hour, polls are skipped, except in its first and last second. Times are
microseconds on the trace's own clock.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from phoneterm.core import debounce
from phoneterm.core.scanner import Scanner

from keypad_lab.trace import TraceRow

TAIL_US = 100_000
_SECOND_US = 1_000_000
_LONG_IDLE_US = 3_600_000_000  # a longer stretch without any contact is skipped


class Poller(Protocol):
    """The interface of a schedule with its debouncer."""

    changes: bytearray
    wait_ms: int

    def poll(self, elapsed_us: int) -> int:
        """Look at the keypad; return how many changes are new."""


class Event(NamedTuple):
    """One change, and when it was reported."""

    time_us: int
    key_index: int
    kind: str


class TraceMatrix:
    """A key matrix whose contacts are those of the trace."""

    def __init__(self) -> None:
        """Start with every contact open."""
        self.contacts = 0

    def probe(self) -> bool:
        """Say whether any contact is closed."""
        return self.contacts != 0

    def scan(self) -> int:
        """Return the contacts."""
        return self.contacts


def firmware_scanner(matrix: TraceMatrix) -> Scanner:
    """Return the scanner as the firmware makes it."""
    return Scanner(matrix, debounce.Debouncer())


class Replay:
    """One run of one trace; its counts may be read once `events` is used up."""

    def __init__(self, rows: Iterable[TraceRow], matrix: TraceMatrix, poller: Poller, work_us: int = 0) -> None:
        """Take the trace, the matrix to play it on, the poller of that matrix, and how long one poll's work takes."""
        self.matrix = matrix
        self.poller = poller
        self.polls = 0
        self.row_count = 0
        self.stall_count = 0
        self.first_us = 0
        self.last_us = 0
        self._rows = iter(rows)
        self._work_us = work_us
        self._next = next(self._rows, None)
        self._stalled_until_us = 0

    def events(self) -> Iterator[Event]:
        """Run the trace and yield the scanner's reports in order."""
        if self._next is None:
            return
        self.first_us = polled_us = due_us = self._next.time_us
        while True:
            due_us = self._take_rows_until(due_us)
            if self._next is None and due_us > max(self.last_us, self._stalled_until_us) + TAIL_US:
                return
            self.polls += 1
            count = self.poller.poll(due_us - polled_us)
            for change in self.poller.changes[:count]:
                yield Event(due_us, change & debounce.INDEX, _kind(change))
            period_us = self.poller.wait_ms * 1000 + self._work_us
            due_us += period_us + self._idle_to_skip_us(due_us, period_us)
            polled_us = due_us - period_us

    def _take_rows_until(self, due_us: int) -> int:
        """Set the contacts as they are when a poll due at `due_us` happens; return the time of that poll."""
        while self._next is not None and self._next.time_us <= due_us:
            row = self._next
            self.matrix.contacts = row.contacts
            self.row_count += 1
            self.last_us = row.time_us
            if row.stall_us:
                self.stall_count += 1
                self._stalled_until_us = max(self._stalled_until_us, row.time_us + row.stall_us)
                due_us = max(due_us, self._stalled_until_us)
            self._next = next(self._rows, None)
        return due_us

    def _idle_to_skip_us(self, now_us: int, period_us: int) -> int:
        """Return the length, in us, of the whole periods that may be skipped because no contact closes in them."""
        is_settled = self.matrix.contacts == 0 and now_us > max(self.last_us, self._stalled_until_us) + _SECOND_US
        if self._next is None or not is_settled or self._next.time_us - now_us < _LONG_IDLE_US:
            return 0
        return (self._next.time_us - now_us - _SECOND_US) // period_us * period_us


def _kind(change: int) -> str:
    if change & debounce.STUCK:
        return "stuck"
    if change & debounce.WORKING:
        return "working"
    return "down" if change & debounce.PRESSED else "up"
