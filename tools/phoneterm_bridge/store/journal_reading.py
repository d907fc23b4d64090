"""Reads the journal for people: the command nearest to a time, its timeline, and what was changed. Writes nothing.

What comes last is last in the journal's order; its times may go back, where a clock was ahead and was put right. Every
query uses an index, however long the journal is. The last commands are not in the index by extension yet: these are
scanned.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.directory import ACCOUNT_LINE, CUT_OFF, GROUPED, REQUESTED, TOKEN_LINE

ENTRY_BITS = 22  # the low bits of an entry: a number that starts anywhere and rises by one; above it: ms of reception
_Query = tuple[sa.Select, sa.ColumnElement]  # and its column of the time


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
    queries = _queries_of(extension, op, is_sent)
    with engine.connect() as connection:
        command = _find_last(connection, queries) if at_ms is None else _find_at(connection, queries, at_ms)
        if at_ms is None and command is not None and command.command_id is None:
            # A phone may tell only later what it has refused: then what was sent meanwhile is the last.
            sent = _find_last(connection, _queries_of(extension, op, True))
            command = sent if sent is not None and sent.received_ms > command.received_ms else command
        return None if command is None else _read_timeline(connection, command)


def read_timelines(engine: sa.Engine, entries: Collection[int]) -> list[Timeline]:
    """Return the timelines of these commands, the newest first."""
    of_these = tables.commands.c.entry.in_(entries)
    query = sa.select(tables.commands).where(of_these).order_by(tables.commands.c.entry.desc())
    with engine.connect() as connection:
        return [_read_timeline(connection, command) for command in connection.execute(query).all()]


def read_news(engine: sa.Engine, seq: int, most: int) -> tuple[int, list[int], list[tuple[int, Change]]]:
    """Return the journal's last row, and the commands and the changes (with their rows) that came after row `seq`.

    Of many, only the first so many rows count, and the last of these is returned.
    """
    columns = tables.journal.c
    query = sa.select(columns.seq, columns.entry, columns.stage, columns.at_ms, columns.detail).where(columns.seq > seq)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(columns.seq).limit(most)).all()
    entries = dict.fromkeys(row.entry for row in rows if row.entry is not None)
    changes = [(row.seq, _change_of(row)) for row in rows if row.stage == "change"]
    return rows[-1].seq if rows else seq, list(entries), changes


def read_last_seq(engine: sa.Engine) -> int:
    """Return the journal's last row."""
    with engine.connect() as connection:
        return connection.execute(sa.select(tables.journal_head.c.seq)).scalar_one()


def read_changes(engine: sa.Engine, subject: str | None, most: int) -> list[Change]:
    """Return the last changes of the directory (of one user, terminal and so on, if given), the newest first."""
    return [change for _, change in read_numbered_changes(engine, subject, most)]


def read_numbered_changes(engine: sa.Engine, subject: str | None, most: int) -> list[tuple[int, Change]]:
    """Return the same with the journal row of each."""
    columns = tables.journal.c
    query = sa.select(columns.seq, columns.at_ms, columns.detail).where(columns.stage == sa.literal_column("'change'"))
    if subject is not None:
        query = query.where(sa.func.json_extract(columns.detail, "$.subject") == subject)
    query = query.order_by(columns.seq.desc()).limit(most)
    with engine.connect() as connection:
        return [(row.seq, _change_of(row)) for row in connection.execute(query)]


def find_change(engine: sa.Engine, subjects: tuple[str, ...], until_seq: int) -> Change | None:
    """Return the last change, up to a row of the journal, of one of these users, terminals and so on.

    What changes nobody's permissions is left out: requests to terminals, what happened to their connections, their site
    groups, and accounts of the console, which may have the name of a user.
    """
    columns = tables.journal.c
    about = sa.func.json_extract(columns.detail, "$.subject").in_(subjects)
    query = sa.select(columns.at_ms, columns.detail).where(columns.stage == sa.literal_column("'change'"), about)
    what = sa.func.json_extract(columns.detail, "$.what")
    others = (REQUESTED, CUT_OFF, GROUPED, ACCOUNT_LINE, TOKEN_LINE)
    is_other = sa.or_(*(what.startswith(one) for one in others))
    query = query.where(columns.seq <= until_seq, ~is_other).order_by(columns.seq.desc())
    with engine.connect() as connection:
        row = connection.execute(query.limit(1)).first()
    return None if row is None else _change_of(row)


def find_user(engine: sa.Engine, extension: str) -> str | None:
    """Return whose extension this is; None when the directory does not have it."""
    query = sa.select(tables.extensions.c.user).where(tables.extensions.c.number == extension)
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def _read_timeline(connection: sa.Connection, command: sa.Row) -> Timeline:
    lines = tables.lines.c
    order = (lines.stage != "keyed", lines.seq, lines.part)
    query = sa.select(tables.lines).where(lines.entry == command.entry)
    return Timeline(command, tuple(connection.execute(query.order_by(*order)).all()))


def _find_last(connection: sa.Connection, queries: list[_Query]) -> sa.Row | None:
    """Return the command that was journalled last."""
    journal = tables.journal.c
    of_command = journal.entry == tables.commands.c.entry
    place = sa.select(sa.func.min(journal.seq)).where(of_command).correlate(tables.commands).scalar_subquery()
    by_place = (query.add_columns(place.label("place")).order_by(sa.desc("place")).limit(1) for query, _ in queries)
    found = [row for query in by_place if (row := connection.execute(query).first()) is not None]
    return max(found, key=lambda row: row.place, default=None)


def _find_at(connection: sa.Connection, queries: list[_Query], at_ms: int) -> sa.Row | None:
    """Return the command that was received nearest to a time."""
    found = [
        row
        for query, received_ms in queries
        for nearest in (
            query.where(received_ms <= at_ms).order_by(received_ms.desc()),
            query.where(received_ms > at_ms).order_by(received_ms.asc()),
        )
        if (row := connection.execute(nearest.limit(1)).first()) is not None
    ]
    return min(found, key=lambda row: abs(row.received_ms - at_ms), default=None)


def _queries_of(extension: str, op: str | None, is_sent: bool) -> list[_Query]:
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
