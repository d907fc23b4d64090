"""Whether terminals have put in force the permissions and configuration they were sent, and what to send again.

Sends nothing itself. A terminal says in up/ack which revisions are in force there, and why it has not taken others. An
unconfirmed one is due again after 5 s, and then ever more slowly, up to 5 minutes; a hello or a new revision starts
this over. It counts as a trouble of the terminal from its refusal on, or from the first time that it is due again.
Times are monotonic seconds.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from phoneterm_bridge.settings.timing import USUAL
from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.troubles import CONFIG, PERMISSIONS
from phoneterm_bridge.terminals.troubles import Troubles

MOST_S = 300.0
MOST_AT_ONCE = 25  # after a power cut thousands say hello and answer slowly; more messages would not help
SILENT = "it does not say that it has"


class Standing(NamedTuple):
    """The revision that a terminal was sent, the one in force there (-1: none), and since when (ms since 1970)."""

    sent: int
    in_force: int
    since_ms: int | None


@dataclass
class _Delivery:
    """What one terminal was sent since its hello, what is in force there, and when to send again."""

    pause_s: float
    sent: dict[str, int] = field(default_factory=dict)
    in_force: dict[str, int] = field(default_factory=dict)
    since_ms: dict[str, int] = field(default_factory=dict)  # when a revision was first said to be in force
    due_s: float = math.inf

    def missing(self) -> list[str]:
        return [what for what, revision in self.sent.items() if self.in_force.get(what, -1) < revision]


class Deliveries:
    """The deliveries to all terminals that have said hello and are not gone."""

    def __init__(
        self,
        troubles: Troubles,
        now_s: Callable[[], float] = time.monotonic,
        first_s: float = USUAL.resend_s,
        now_ms: Callable[[], int] = wall_clock.now_ms,
    ) -> None:
        """first_s: how long to wait before the first repetition. now_ms: the wall clock, for people alone."""
        self._now_ms = now_ms
        self._troubles = troubles
        self._now_s = now_s
        self._first_s = first_s
        self._open: dict[str, _Delivery] = {}
        self.version = 0  # rises with every change

    def begin(self, tid: str) -> None:
        """A terminal has said hello."""
        self.version += 1
        self._open[tid] = _Delivery(self._first_s)

    def end(self, tid: str) -> None:
        """A terminal has gone: nothing is sent to it again."""
        self.version += 1
        self._open.pop(tid, None)

    def mark_sent(self, tid: str, what: str, revision: int) -> None:
        """A terminal was sent a revision; a new revision starts its waiting time over."""
        delivery = self._open.get(tid)
        if delivery is None:
            return
        if delivery.sent.get(what) != revision:
            self.version += 1
            delivery.sent[what] = revision
            delivery.pause_s = self._first_s
        delivery.due_s = self._now_s() + delivery.pause_s if delivery.missing() else math.inf

    def on_ack(self, tid: str, in_force: dict[str, int], error: str | None) -> None:
        """A terminal has said which revisions are in force, and why it refused a later one."""
        delivery = self._open.get(tid)
        if delivery is None:
            return
        self.version += 1
        for what, revision in in_force.items():
            if delivery.in_force.get(what) != revision:
                delivery.since_ms[what] = self._now_ms()
        delivery.in_force = in_force
        missing = delivery.missing()
        for what in delivery.sent:
            if what not in missing:
                self._troubles.end(tid, what)
        if not missing:
            delivery.due_s = math.inf
        elif error is not None:  # of the configuration, if it is not in force yet: permissions are not refused for long
            self._troubles.begin(tid, CONFIG if CONFIG in missing else PERMISSIONS, error)

    def find(self, tid: str, what: str) -> Standing | None:
        """Return how far a terminal is with what it was sent; None while it is away."""
        delivery = self._open.get(tid)
        if delivery is None or what not in delivery.sent:
            return None
        return Standing(delivery.sent[what], delivery.in_force.get(what, -1), delivery.since_ms.get(what))

    def missing(self, tid: str) -> list[str]:
        """Return what a terminal was sent and has not confirmed."""
        delivery = self._open.get(tid)
        return [] if delivery is None else delivery.missing()

    def pop_due(self) -> dict[str, list[str]]:
        """Return what to send again now, by terminal, for a few of them at a time; the next wait is longer."""
        now_s = self._now_s()
        late = (tid for tid, delivery in self._open.items() if delivery.due_s <= now_s)
        due = {tid: self.missing(tid) for tid in islice(late, MOST_AT_ONCE)}
        for tid, missing in due.items():
            delivery = self._open[tid]
            delivery.pause_s = min(2 * delivery.pause_s, MOST_S)
            delivery.due_s = now_s + delivery.pause_s
            for what in missing:
                if not self._troubles.has(tid, what):
                    self._troubles.begin(tid, what, SILENT)
        return due
