"""Reads the journal for people: the command nearest to a time, its timeline, and what was changed. Writes nothing.

Every query uses an index, however long the journal is. The last commands are not in the index by extension yet: these
are scanned.
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.directory import REQUESTED

_END_MS = 1 << 50  # no time is later
ENTRY_BITS = 22  # the low bits of an entry: a number that starts anywhere and rises by one; above it: ms of reception


class Change(NamedTuple):
    """One change of the directory: when, who, from where, to whom or what, and what was changed."""

    at_ms: int
    who: str
    where: str
    subject: str
    what: str


@dataclass(frozen=True)
class Timeline:
    """One command: its row, and its lines in the order they happened."""

    command: sa.Row
    lines: tuple[sa.Row, ...]


def find_nearest(
    engine: sa.Engine, extension: str, at_ms: int | None, op: str | None = None, is_sent: bool = False
) -> Timeline | None:
    """Return an extension's command (of one operation, if given) nearest to a time; for None the last one.

    What the phone has refused by itself is among them, unless `is_sent`.
    """
    until_ms = _END_MS if at_ms is None else at_ms
    with engine.connect() as connection:
        found = [
            row
            for query, received_ms in _queries_of(extension, op, is_sent)
            for nearest in (
                query.where(received_ms <= until_ms).order_by(received_ms.desc()),
                query.where(received_ms > until_ms).order_by(received_ms.asc()),
            )
            if (row := connection.execute(nearest.limit(1)).first()) is not None
        ]
        if not found:
            return None
        command = min(found, key=lambda row: abs(row.received_ms - until_ms))
        lines = tables.lines.c
        order = (lines.stage != "keyed", lines.at_ms, lines.seq, lines.part)
        query = sa.select(tables.lines).where(lines.entry == command.entry)
        rows = connection.execute(query.order_by(*order)).all()
    return Timeline(command, tuple(rows))


def read_changes(engine: sa.Engine, subject: str | None, most: int) -> list[Change]:
    """Return the last changes of the directory (of one user, terminal and so on, if given), the newest first."""
    columns = tables.journal.c
    query = sa.select(columns.at_ms, columns.detail).where(columns.stage == sa.literal_column("'change'"))
    if subject is not None:
        query = query.where(sa.func.json_extract(columns.detail, "$.subject") == subject)
    query = query.order_by(columns.at_ms.desc(), columns.seq.desc()).limit(most)
    with engine.connect() as connection:
        return [_change_of(row) for row in connection.execute(query)]


def find_change(engine: sa.Engine, subjects: tuple[str, ...], until_ms: int) -> Change | None:
    """Return the last change, up to a time, of one of these users, terminals and so on.

    Requests to terminals are left out: they change nobody's permissions.
    """
    columns = tables.journal.c
    about = sa.func.json_extract(columns.detail, "$.subject").in_(subjects)
    query = sa.select(columns.at_ms, columns.detail).where(columns.stage == sa.literal_column("'change'"), about)
    is_request = sa.func.json_extract(columns.detail, "$.what").startswith(REQUESTED)
    query = query.where(columns.at_ms <= until_ms, ~is_request).order_by(columns.at_ms.desc(), columns.seq.desc())
    with engine.connect() as connection:
        row = connection.execute(query.limit(1)).first()
    return None if row is None else _change_of(row)


def read_transfers(engine: sa.Engine, since_ms: int) -> list[tuple[int, str, str]]:
    """Return (ms, operation, number) of every transfer that was asked of the PBX since a time."""
    commands, lines = tables.commands.c, tables.lines.c
    wide = tables.commands.join(tables.lines, lines.entry == commands.entry)
    query = sa.select(lines.at_ms, commands.op, commands.number).select_from(wide)
    query = query.where(lines.entry >= since_ms << ENTRY_BITS, lines.stage == "action")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.where(commands.number.is_not(None)))]


def find_user(engine: sa.Engine, extension: str) -> str | None:
    """Return whose extension this is; None when the directory does not have it."""
    query = sa.select(tables.extensions.c.user).where(tables.extensions.c.number == extension)
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def _queries_of(extension: str, op: str | None, is_sent: bool) -> list[tuple[sa.Select, sa.ColumnElement]]:
    """Return a query of an extension's commands in the index, and one of the rest; each with its time column."""
    index, commands = tables.commands_by_extension, tables.commands
    indexed = sa.select(tables.commands_indexed.c.entry).scalar_subquery()
    found = sa.select(commands).join_from(index, commands, index.c.entry == commands.c.entry)
    found = found.where(index.c.extension == extension)
    others = sa.select(commands).where(commands.c.entry > indexed, commands.c.extension == extension)
    if op is not None:
        found, others = found.where(commands.c.op == op), others.where(commands.c.op == op)
    if is_sent:
        found, others = (query.where(commands.c.command_id.is_not(None)) for query in (found, others))
    return [(found, index.c.received_ms), (others, commands.c.received_ms)]


def _change_of(row: sa.Row) -> Change:
    detail = json.loads(row.detail)
    return Change(row.at_ms, detail["who"], detail["where"], detail["subject"], detail["what"])
