"""Reads the commands of the journal as a list, the newest first, with the result of each. Writes nothing.

What a phone has refused by itself is among them. Read in pieces from the end, so that the last ones of a long journal
come at once. Times are milliseconds since 1970.
"""

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.journal_reading import ENTRY_BITS

_AT_ONCE = 200
_MOST = (1 << 63) - 1  # the largest integer of SQLite


class Listed(NamedTuple):
    """One command: when it was received, from whom, what it asked, and how it ended (None: nothing is known yet)."""

    entry: int
    received_ms: int
    tid: str
    extension: str
    op: str | None
    number: str | None
    state: str | None
    reason: str | None


class Wanted(NamedTuple):
    """Which commands are meant; None: all. since_ms, until_ms: when they were received. result: a state or a reason."""

    tid: str | None = None
    extension: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    result: str | None = None


def read_commands(engine: sa.Engine, wanted: Wanted, most: int) -> list[Listed]:
    """Return the last commands that are meant, the newest first, at most so many."""
    found: list[Listed] = []
    with engine.connect() as connection:
        for one in _iterate(connection, wanted):
            if wanted.result is None or wanted.result in (one.state, one.reason):
                found.append(one)
                if len(found) == most:
                    break
    return found


def _iterate(connection: sa.Connection, wanted: Wanted) -> Iterator[Listed]:
    columns = tables.commands.c
    query = sa.select(columns.entry, columns.received_ms, columns.tid, columns.extension, columns.op, columns.number)
    for column, value in ((columns.tid, wanted.tid), (columns.extension, wanted.extension)):
        if value is not None:
            query = query.where(column == value)
    if wanted.since_ms is not None:
        query = query.where(columns.entry >= max(0, wanted.since_ms) << ENTRY_BITS)
    below = _MOST if wanted.until_ms is None else min(_MOST, max(0, wanted.until_ms + 1) << ENTRY_BITS)
    while True:
        piece = query.where(columns.entry < below).order_by(columns.entry.desc()).limit(_AT_ONCE)
        rows = connection.execute(piece).all()
        results = _results_of(connection, [row.entry for row in rows])
        for row in rows:
            yield Listed(*row, *results.get(row.entry, (None, None)))
        if len(rows) < _AT_ONCE:
            return
        below = rows[-1].entry


def _results_of(connection: sa.Connection, entries: list[int]) -> dict[int, tuple[str, str | None]]:
    """Return (word, reason) of each command's last result."""
    lines = tables.lines.c
    query = sa.select(lines.entry, lines.word, lines.reason).where(lines.entry.in_(entries), lines.stage == "result")
    rows = connection.execute(query.order_by(lines.seq, lines.part))
    return {row.entry: (row.word, row.reason) for row in rows}
