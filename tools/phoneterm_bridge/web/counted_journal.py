"""A journal that counts: results by operation, the time until the PBX is asked, and failures.

Does not decide what is written. A bridge without metrics uses the plain journal and pays nothing for this. Memory is
bounded, however many reasons there are.
"""

from bisect import bisect_left
from collections import Counter

import sqlalchemy as sa

from phoneterm_bridge.health.health import Health
from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.journal import Event, Journal, OnTrouble, Recorded
from phoneterm_bridge.store.journal_reading import ENTRY_BITS
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.store_file import Require, require_nothing

# Upper bounds in milliseconds: the journal's own resolution is one.
BOUNDS_MS = (1, 2, 3, 5, 7, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
NOT_AUTHENTIC = "none"
_MOST_KINDS = 500
_OTHER = "other"


class CountedJournal(Journal):
    """The journal of one bridge, with counts since its start.

    results: (operation, state, reason) -> how often a terminal was told that. delays: for how many commands the PBX was
    asked within each bound of BOUNDS_MS after reception, and after the last bound; delay_sum_ms: their sum.
    failures: commands that could not be journalled, and so were not carried out; `health` is told about each.
    """

    def __init__(
        self, engine: sa.Engine, health: Health, require_file: Require = require_nothing,
        on_trouble: OnTrouble = lambda why: None,
    ) -> None:  # fmt: skip
        super().__init__(engine, require_file, on_trouble)
        self._health = health
        self.failures = 0
        self.results: Counter[tuple[str, str, str]] = Counter()
        self.delays = [0] * (len(BOUNDS_MS) + 1)
        self.delay_sum_ms = 0

    async def open(
        self, terminal: TerminalRecord, fields: dict, events: list[Event], received_ms: int | None = None,
        is_urgent: bool = False,
    ) -> Recorded:  # fmt: skip
        """See Journal; counts a command that is refused at once."""
        try:
            recorded = await super().open(terminal, fields, events, received_ms, is_urgent)
        except Exception:
            self.failures += 1
            self._health.on_journal(False)
            raise
        if recorded.is_on_disk:
            self._health.on_journal(True)
        if recorded.state is not None:
            self._count_result(recorded)
        return recorded

    def append(self, recorded: Recorded, event: Event) -> None:
        """See Journal; counts results, and the time until the PBX is asked."""
        super().append(recorded, event)
        if event.stage == "result":
            self._count_result(recorded)
        elif event.stage == "action":
            delay_ms = max(0, wall_clock.now_ms() - (recorded.entry >> ENTRY_BITS))
            self.delays[bisect_left(BOUNDS_MS, delay_ms)] += 1
            self.delay_sum_ms += delay_ms

    def _count_result(self, recorded: Recorded) -> None:
        result = (recorded.op or NOT_AUTHENTIC, recorded.state or "", recorded.reason or "")
        if result not in self.results and len(self.results) >= _MOST_KINDS:
            result = (result[0], result[1], _OTHER)
        self.results[result] += 1
