"""Reads the journal for people: the command nearest to a time, its timeline, and what was changed. Writes nothing.

Every query is answered from an index, however long the journal is.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from phoneterm_bridge.store import tables

ENTRY_RANDOM_BITS = 22  # an entry is the ms of its reception and, below it, random bits


@dataclass(frozen=True)
class Timeline:
    """One command: its row, and its lines in the order they happened."""

    command: sa.Row
    lines: tuple[sa.Row, ...]


def find_nearest(engine: sa.Engine, extension: str, at_ms: int | None, op: str | None = None) -> Timeline | None:
    """Return an extension's command (of one operation, if given) nearest to a time; the last one for None."""
    columns = tables.commands.c
    query = sa.select(tables.commands).where(columns.extension == extension)
    if op is not None:
        query = query.where(columns.op == op)
    newest_first, oldest_first = columns.received_ms.desc(), columns.received_ms.asc()
    with engine.connect() as connection:
        if at_ms is None:
            queries = [query.order_by(newest_first)]
        else:
            queries = [query.where(columns.received_ms <= at_ms).order_by(newest_first)]
            queries.append(query.where(columns.received_ms > at_ms).order_by(oldest_first))
        found = [row for one in queries if (row := connection.execute(one.limit(1)).first()) is not None]
        if not found:
            return None
        command = min(found, key=lambda row: abs(row.received_ms - (at_ms or 0)))
        lines = sa.select(tables.journal).where(tables.journal.c.entry == command.entry)
        rows = connection.execute(lines.order_by(tables.journal.c.at_ms, tables.journal.c.seq)).all()
    return Timeline(command, tuple(rows))


def read_changes(engine: sa.Engine, until_ms: int, limit: int) -> list[sa.Row]:
    """Return the last changes of the directory up to a time, the newest first."""
    columns = tables.journal.c
    query = sa.select(tables.journal).where(columns.stage == sa.literal_column("'change'"), columns.at_ms <= until_ms)
    with engine.connect() as connection:
        return list(connection.execute(query.order_by(columns.at_ms.desc(), columns.seq.desc()).limit(limit)))


def read_transfers(engine: sa.Engine, since_ms: int) -> list[tuple[int, str, str]]:
    """Return (ms, operation, number) of every transfer since a time that the PBX was asked for."""
    commands, journal = tables.commands.c, tables.journal.c
    wide = tables.commands.join(tables.journal, journal.entry == commands.entry)
    query = sa.select(journal.at_ms, commands.op, commands.number).select_from(wide)
    query = query.where(commands.entry >= since_ms << ENTRY_RANDOM_BITS, journal.stage == "action")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.where(commands.number.is_not(None)))]


def has_extension(engine: sa.Engine, number: str) -> bool:
    """Say whether the directory has an extension."""
    query = sa.select(tables.extensions.c.number).where(tables.extensions.c.number == number)
    with engine.connect() as connection:
        return connection.execute(query).first() is not None
