"""What terminals refuse by themselves: journals each report once, at the time of the refusal. Judges none.

A terminal counts its refusals from its start on, reports the last one as soon as it has a session, and again with each
new session. So a number that is not higher than the last one has been journalled; when it skips some, nothing but their
number is known. A report of another start than the present one is old. What the PBX cannot do has its cause in the
journal.
"""

from collections.abc import Callable

import structlog

from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.journal import REFUSED, Event, Journal
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.terminals.sightings import Sightings

_UNSUPPORTED = "unsupported"


class Refusals:
    """The receiver of these reports."""

    def __init__(
        self, sightings: Sightings, journal: Journal,
        remark_on: Callable[[str], str | None] = lambda operation: None,
        now_ms: Callable[[], int] = wall_clock.now_ms,
    ) -> None:  # fmt: skip
        self._sightings = sightings
        self._journal = journal
        self._remark_on = remark_on
        self._now_ms = now_ms

    async def receive(self, terminal: TerminalRecord, report: dict) -> None:
        """Journal a refusal that is not journalled yet."""
        sighting = self._sightings.find(terminal.tid)
        if sighting is None or sighting.boot != report["boot"] or report["count"] <= (sighting.refusals or 0):
            return
        before, number = sighting.refusals or 0, report["count"]
        self._sightings.count_refusal(terminal.tid, number)  # at once: it may be repeated while the disk is slow
        op, reason = report["op"], report["reason"]
        detail = {"number": number, "skipped": number - before - 1}
        if op and reason == _UNSUPPORTED and (cause := self._remark_on(op)):
            detail["cause"] = cause
        events = [Event("refusal", op or "keys", reason, detail), Event("result", REFUSED, reason)]
        fields = {"id": None, "op": op, "number": None, "call": None}
        try:
            await self._journal.open(terminal, fields, events, self._now_ms() - report["ago_s"] * 1000)
        except Exception as error:
            self._sightings.count_refusal(terminal.tid, before)  # the next session has it repeated
            structlog.get_logger().error("journal-not-written", why=self._journal.explain(error))
            return
        structlog.get_logger().info("refused-by-terminal", tid=terminal.tid, op=op, reason=reason)
