"""The command journal: for each command a durable, append-only, hash-chained timeline. Does not decide about commands.

`open` returns when the command is on the disk, so the PBX is never asked for a command that the journal does not know;
what follows is appended without waiting. A command that has no final result when the bridge starts gets the result
"unknown": it is never tried again.
If the store cannot be written, a command is not opened, except an urgent one: that one is carried out, and the journal
keeps it, with all lines that are appended meanwhile, and writes them in order as soon as it can. What is left when the
bridge stops is lost. The index by extension is updated every `_INDEXED_AFTER` commands: inserting many
together costs a fraction of inserting them one by one.
"""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from phoneterm.core.messages import FINAL_STATES

from phoneterm_bridge.store import wall_clock
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
from phoneterm_bridge.store.journal_writer import MOST_KEPT, JournalWriter
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.store_file import Require, StoreChanged, require_nothing
from phoneterm_bridge.store.store_trouble import describe_for

REFUSED = "refused"  # the result of what a terminal has refused by itself; the wire has no such state
_CLOSED = (*FINAL_STATES, REFUSED)
_REMEMBERED_PER_TERMINAL = 32
_LOOKED_UP_MS = 3_600_000  # far longer than anybody repeats a message
_INDEXED_AFTER = 2048  # commands; a search scans up to as many, which takes well under a millisecond
_URGENT_S = 0.3  # how long an urgent command waits for a slow or busy disk

OnTrouble = Callable[[str | None], None]  # why the store cannot be written, as a sentence; None: it can again


class Event(NamedTuple):
    """One line of a timeline; `detail` is a JSON value, `at_ms` None means now."""

    stage: str
    word: str
    reason: str | None = None
    detail: object = None
    at_ms: int | None = None


@dataclass(slots=True)
class Recorded:
    """What the journal knows of one command: what was asked, and the last result reported (None: none yet).

    is_on_disk: it was when `open` returned; only an urgent command may not have been.
    """

    entry: int
    op: str | None
    number: str | None
    state: str | None = None
    reason: str | None = None
    is_on_disk: bool = True


class Journal:
    """The journal of one bridge; `start` closes what an earlier run left open."""

    def __init__(
        self, engine: sa.Engine, require_file: Require = require_nothing, on_trouble: OnTrouble = lambda why: None,
        now_ms: Callable[[], int] = wall_clock.now_ms, most_kept: int = MOST_KEPT,
    ) -> None:  # fmt: skip
        """require_file: raises when the store's file is no longer the one that is open; no command is opened then.

        on_trouble: told when the store cannot be written, and when it can again. most_kept: so many writes wait for
        that; what is beyond is in the log alone.
        """
        self._now_ms = now_ms
        self._engine = engine
        self._require_file = require_file
        self._tell_trouble = on_trouble
        self._writer = JournalWriter(
            engine, write_group, self._log_loss, on_trouble=self._on_trouble, most_kept=most_kept
        )
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
        return await self._writer.submit(Closing(self._now_ms()), is_last=True)

    def write_now(self) -> None:
        """Commit now what somebody waits for, rather than in the next turn of the event loop."""
        self._writer.write_now()

    async def stop(self) -> None:
        """Write all that is queued, and stop."""
        if lost := await self._writer.stop():
            structlog.get_logger().error("journal-lines-lost", lines=lost)

    async def open(
        self, terminal: TerminalRecord, fields: dict, events: list[Event], received_ms: int | None = None,
        is_urgent: bool = False,
    ) -> Recorded:  # fmt: skip
        """Write a command durably; an urgent one, if that cannot be done now, as soon as it can.

        `fields` are those of the command message; all None for a message that is not authentic, and none but the
        operation for what a terminal has refused by itself. A line that says what
        was received comes before `events`; a result is the last of them.
        """
        is_of_store = self._has_file(is_urgent)
        now_ms = self._now_ms()
        at_ms = now_ms if received_ms is None else received_ms
        entry = (at_ms << ENTRY_BITS) | next(self._numbers) % (1 << ENTRY_BITS)
        state, reason = _result_in(events)
        recorded = Recorded(entry, fields["op"], fields["number"], state, reason)
        what = (terminal.extension, recorded.op, recorded.number, fields["call"])
        row = CommandRow(entry, terminal.tid, fields["id"], at_ms, *what)
        lines: list[Line] = [("received", "command", None, command_values(row), at_ms)]
        lines += [(stage, word, why, detail, then_ms or now_ms) for stage, word, why, detail, then_ms in events]
        written = self._writer.submit(Opening(row, lines, state not in _CLOSED), is_kept=is_urgent)
        if is_urgent:
            recorded.is_on_disk = await _is_done_soon(written) and is_of_store
        else:
            await written
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
        line = (stage, word, reason, detail, at_ms or self._now_ms())
        self._writer.add(Addition(recorded.entry, line, is_result and word in FINAL_STATES))

    def remembered(self, tid: str, command_id: str) -> Recorded | None:
        """Return a recent command of this run, without touching the disk."""
        recent = self._recent.get(tid)
        return recent.get(command_id) if recent else None

    async def look_up(self, terminal: TerminalRecord, command_id: str) -> Recorded | None:
        """Return a command of the last hour from the disk, with the result reported last."""
        search = Search(terminal.tid, command_id, terminal.extension, self._now_ms() - _LOOKED_UP_MS)
        found = await self._writer.submit(search, is_last=True)
        if found is None:
            return None
        command, result = found
        return Recorded(command.entry, command.op, command.number, *(result or (None, None)))

    def _has_file(self, is_urgent: bool) -> bool:
        """Say whether what is written comes to the store; StoreChanged where it does not and is not urgent."""
        try:
            self._require_file()
        except StoreChanged:
            if not is_urgent:
                raise
            return False
        return True

    def _on_trouble(self, error: BaseException | None) -> None:
        """The store cannot be written any more, or can again."""
        if error is None:
            structlog.get_logger().info("journal-written-again")
            self._tell_trouble(None)
            return
        why = self.explain(error)
        structlog.get_logger().error("journal-cannot-be-written", why=why)
        self._tell_trouble(why)
        self._writer.add(Indexing())  # harmless; being kept, it shows when the store can be written again

    def explain(self, error: BaseException) -> str:
        """Return why something could not be journalled, as a sentence if the store is the cause."""
        return describe_for(self._engine, error)

    def _log_loss(self, error: BaseException) -> None:
        structlog.get_logger().error("journal-not-written", why=self.explain(error))

    def _remember(self, tid: str, command_id: str, recorded: Recorded) -> None:
        recent = self._recent.setdefault(tid, {})
        recent[command_id] = recorded
        if len(recent) > _REMEMBERED_PER_TERMINAL:
            del recent[next(iter(recent))]


def _result_in(events: list[Event]) -> tuple[str | None, str | None]:
    is_there = bool(events) and events[-1].stage == "result"
    return (events[-1].word, events[-1].reason) if is_there else (None, None)


async def _is_done_soon(written: asyncio.Future) -> bool:
    """Wait a moment for a write, and say whether it was done; its error has been told elsewhere."""
    if not written.done():
        await asyncio.wait([written], timeout=_URGENT_S)
    if not written.done():
        written.add_done_callback(lambda done: done.exception())
        return False
    return written.exception() is None
