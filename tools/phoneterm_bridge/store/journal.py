"""The command journal: for each command a durable, append-only, hash-chained timeline. Does not decide about commands.

`open` returns when the command is on the disk, so the PBX is never asked for a command that the journal does not know;
what follows is appended without waiting. A command that has no final result when the bridge starts gets the result
"unknown": it is never tried again. The index by extension is updated every `_INDEXED_AFTER` commands: inserting many
together costs a fraction of inserting them one by one.
"""

import itertools
import random
import time
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from phoneterm.core.messages import FINAL_STATES

from phoneterm_bridge.store.journal_chain import Line, command_values
from phoneterm_bridge.store.journal_reading import ENTRY_BITS
from phoneterm_bridge.store.journal_tables import (
    Addition,
    Closing,
    CommandRow,
    Indexing,
    Opening,
    Search,
    write_group,
)
from phoneterm_bridge.store.journal_writer import JournalWriter
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.store_file import Require, require_nothing

REFUSED = "refused"  # the result of what a terminal has refused by itself; the wire has no such state
_CLOSED = (*FINAL_STATES, REFUSED)
_REMEMBERED_PER_TERMINAL = 32
_LOOKED_UP_MS = 3_600_000  # far longer than anybody repeats a message
_INDEXED_AFTER = 2048  # commands; a search scans up to as many, which takes well under a millisecond


class Event(NamedTuple):
    """One line of a timeline; `detail` is a JSON value, `at_ms` None means now."""

    stage: str
    word: str
    reason: str | None = None
    detail: object = None
    at_ms: int | None = None


@dataclass(slots=True)
class Recorded:
    """What the journal knows of one command: what was asked, and the last result reported (None: none yet)."""

    entry: int
    op: str | None
    number: str | None
    state: str | None = None
    reason: str | None = None


class Journal:
    """The journal of one bridge; `start` closes what an earlier run left open."""

    def __init__(self, engine: sa.Engine, require_file: Require = require_nothing) -> None:
        """require_file: raises when the store's file is no longer the one that is open; no command is opened then."""
        self._require_file = require_file
        self._writer = JournalWriter(engine, write_group, _log_failure)
        self._recent: dict[str, dict[str, Recorded]] = {}  # of each terminal, the oldest first
        self._numbers = itertools.count(random.getrandbits(ENTRY_BITS))
        self._not_indexed = 0

    @property
    def queued(self) -> int:
        """The number of writes that wait for the disk."""
        return self._writer.queued

    async def start(self) -> int:
        """Start writing; return how many commands of an earlier run have got the result unknown."""
        self._writer.start()
        self._writer.add(Indexing())
        return await self._writer.submit(Closing(_now_ms()), is_last=True)

    def write_now(self) -> None:
        """Commit now what somebody waits for, rather than in the next turn of the event loop."""
        self._writer.write_now()

    async def stop(self) -> None:
        """Write all that is queued, and stop."""
        await self._writer.stop()

    async def open(
        self, terminal: TerminalRecord, fields: dict, events: list[Event], received_ms: int | None = None
    ) -> Recorded:
        """Write a command durably.

        `fields` are those of the command message; all None for a message that is not authentic, and none but the
        operation for what a terminal has refused by itself. A line that says what
        was received comes before `events`; a result is the last of them.
        """
        self._require_file()
        now_ms = _now_ms()
        at_ms = now_ms if received_ms is None else received_ms
        entry = (at_ms << ENTRY_BITS) | next(self._numbers) % (1 << ENTRY_BITS)
        state, reason = _result_in(events)
        recorded = Recorded(entry, fields["op"], fields["number"], state, reason)
        what = (terminal.extension, recorded.op, recorded.number, fields["call"])
        row = CommandRow(entry, terminal.tid, fields["id"], at_ms, *what)
        lines: list[Line] = [("received", "command", None, command_values(row), at_ms)]
        lines += [(stage, word, why, detail, then_ms or now_ms) for stage, word, why, detail, then_ms in events]
        await self._writer.submit(Opening(row, lines, state not in _CLOSED))
        self._not_indexed += 1
        if self._not_indexed >= _INDEXED_AFTER:
            self._not_indexed = 0
            self._writer.add(Indexing())
        if fields["id"] is not None:
            self._remember(terminal.tid, fields["id"], recorded)
        return recorded

    def append(self, recorded: Recorded, event: Event) -> None:
        """Add one line to a command's timeline; a final result closes the command."""
        stage, word, reason, detail, at_ms = event
        is_result = stage == "result"
        if is_result:
            recorded.state, recorded.reason = word, reason
        line = (stage, word, reason, detail, at_ms or _now_ms())
        self._writer.add(Addition(recorded.entry, line, is_result and word in FINAL_STATES))

    def remembered(self, tid: str, command_id: str) -> Recorded | None:
        """Return a recent command of this run, without touching the disk."""
        recent = self._recent.get(tid)
        return recent.get(command_id) if recent else None

    async def look_up(self, terminal: TerminalRecord, command_id: str) -> Recorded | None:
        """Return a command of the last hour from the disk, with the result reported last."""
        search = Search(terminal.tid, command_id, terminal.extension, _now_ms() - _LOOKED_UP_MS)
        found = await self._writer.submit(search, is_last=True)
        if found is None:
            return None
        command, result = found
        return Recorded(command.entry, command.op, command.number, *(result or (None, None)))

    def _remember(self, tid: str, command_id: str, recorded: Recorded) -> None:
        recent = self._recent.setdefault(tid, {})
        recent[command_id] = recorded
        if len(recent) > _REMEMBERED_PER_TERMINAL:
            del recent[next(iter(recent))]


def _result_in(events: list[Event]) -> tuple[str | None, str | None]:
    is_there = bool(events) and events[-1].stage == "result"
    return (events[-1].word, events[-1].reason) if is_there else (None, None)


def _log_failure(error: BaseException) -> None:
    structlog.get_logger().error("journal-not-written", error=type(error).__name__)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
