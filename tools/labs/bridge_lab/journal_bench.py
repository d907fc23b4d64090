"""Measures how long `why` takes to answer from a day's journal. Does not print.

The bridge's own writer writes the journal, as in a bridge: the first lines of a command durably, the rest later.
Then the questions are asked in this process, and once by the command line in its own process.
"""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.reading import read_snapshot
from phoneterm_bridge.store.records import TerminalRecord

from bridge_lab import site

_DAY_MS = 24 * 3600 * 1000
_AT_ONCE = 256
_TERMINALS = 100
_STARTS = 3


@dataclass(frozen=True)
class JournalFigures:
    """commands_per_s: how fast the journal alone takes them. slowest_ms: the slowest of all questions."""

    commands: int
    megabytes: float
    commands_per_s: float
    slowest_ms: float
    command_line_s: float


def measure_journal(folder: Path, commands: int) -> JournalFigures:
    """Write a journal of this many commands, spread over a day, and query it."""
    path = folder / "journal.db"
    identities = site.make_store(path, _TERMINALS)
    engine = open_store(path)
    try:
        started_s = time.perf_counter()
        asyncio.run(_write(engine, list(read_snapshot(engine).terminals.values()), commands))
        written_s = time.perf_counter() - started_s
        slowest_ms = max(_ask(engine, identities[at].extension) for at in (0, _TERMINALS // 2, _TERMINALS - 1))
    finally:
        engine.dispose()
    size = sum(one.stat().st_size for one in folder.glob("journal.db*"))
    line_s = min(_run_command_line(path, identities[0].extension) for _ in range(_STARTS))
    return JournalFigures(commands, size / 1e6, commands / written_s, slowest_ms, line_s)


async def fill_journal(path: Path, commands: int) -> None:
    """Write this many commands of the last day into the journal of a store."""
    engine = open_store(path)
    try:
        await _write(engine, list(read_snapshot(engine).terminals.values()), commands)
    finally:
        engine.dispose()


async def _write(engine: sa.Engine, terminals: list[TerminalRecord], commands: int) -> None:
    journal = Journal(engine)
    await journal.start()
    first_ms = int(time.time() * 1000) - _DAY_MS
    for start in range(0, commands, _AT_ONCE):
        part = range(start, min(start + _AT_ONCE, commands))
        await asyncio.gather(
            *(
                _write_one(journal, terminals[at % len(terminals)], at, first_ms + at * _DAY_MS // commands)
                for at in part
            )
        )
    await journal.stop()


async def _write_one(journal: Journal, terminal: TerminalRecord, at: int, at_ms: int) -> None:
    fields = {"id": f"bench.{at}", "op": "blind", "number": str(100 + at % 100), "call": "c1"}
    trail = [(check, "ok", 0) for check in ("session", "fresh", "rate", "permission", "call")]
    before = [
        Event("keyed", "keys", None, {"took_ms": 900}, at_ms - 900),
        Event("check", "passed", None, trail, at_ms),
    ]
    recorded = await journal.open(terminal, fields, before, at_ms)
    for event in (("action", "blind"), ("result", "accepted"), ("event", "done"), ("result", "done")):
        journal.append(recorded, Event(*event, at_ms=at_ms + 2))


def _ask(engine: sa.Engine, extension: str) -> float:
    """Ask for the last command, for one at noon, and for an operation that never occurred; return the slowest ms."""
    noon = datetime.now().replace(microsecond=0)
    slowest_s = 0.0
    for moment, op in ((None, None), (noon, "blind"), (noon, "swap")):
        started_s = time.perf_counter()
        answer_why(engine, extension, moment, op)
        slowest_s = max(slowest_s, time.perf_counter() - started_s)
    return slowest_s * 1000


def _run_command_line(store: Path, extension: str) -> float:
    phoneterm = Path(sys.executable).with_name("phoneterm")
    command = [str(phoneterm), "why", extension, f"--set=store.path={store}"]
    started_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PHONETERM_CONFIG": os.devnull})
    return time.perf_counter() - started_s
