"""Blots dialled numbers out of old rows of the journal, so that they are not kept for ever. Changes nothing else.

A row's hash covers its content, so a row without its number no longer has the content of its hash. The chain stays
whole all the same: the hash is kept, and the next row's covers it. What a blotted row still says is no longer proven.
So that nobody can pass a changed row off as a blotted one, the chain itself has a row (a change of `journal`) that says
up to which row numbers were blotted out. The number is in two places: in the line "received", and in `commands`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_chain import MANY, detail_of
from phoneterm_bridge.store.journal_reading import ENTRY_BITS

BLOTTED = "*"  # in place of a number; no number is a lone star
SUBJECT = "journal"
_WHAT = "dialled numbers blotted out up to entry {}"
_READ_WHAT = re.compile(_WHAT.format(r"(\d+)"))
_NUMBER = 4  # its place in the detail of a line "received"
_AT_ONCE = 200  # commands in one transaction: the bridge's own writes come in between


def blot_numbers(engine: sa.Engine, before_ms: int, place: str) -> int:
    """Blot the numbers of all commands out that were received before a time; return how many that were."""
    is_old = sa.and_(_HAS_NUMBER, tables.commands.c.entry < before_ms << ENTRY_BITS)
    _permit(engine, is_old, place)
    count = 0
    for entries in _iterate_entries(engine, is_old):
        with writing(engine) as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for entry in entries:
                _blot_command(connection, entry)
        count += len(entries)
    if count:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # the log still has the numbers
    return count


def is_blotted(row: Any) -> bool:
    """Say whether a row of the journal looks like one whose number was blotted out."""
    try:
        lines = json.loads(row.detail or "null")
        details = [line[3] for line in lines if line[0] == "received"] if row.stage == MANY else [lines]
        return any(detail[_NUMBER] == BLOTTED for detail in details)
    except (ValueError, TypeError, IndexError, KeyError):
        return False


def read_permitted(row: Any) -> int:
    """Return up to which row numbers may be blotted out, according to this row of the chain; 0 if it is about else."""
    if row.stage != "change":
        return 0
    try:
        detail = json.loads(row.detail)
        found = _READ_WHAT.fullmatch(detail["what"]) if detail["subject"] == SUBJECT else None
    except (ValueError, TypeError, KeyError):
        return 0
    return int(found[1]) if found else 0


def _permit(engine: sa.Engine, is_old: sa.ColumnElement[bool], place: str) -> None:
    """Have the chain say up to which row numbers are blotted out, before they are."""
    columns = tables.journal.c
    rows = tables.journal.join(tables.commands, tables.commands.c.entry == columns.entry)
    first = sa.select(sa.func.min(columns.seq).label("seq")).select_from(rows).where(is_old).group_by(columns.entry)
    with engine.connect() as connection:
        last = connection.execute(sa.select(sa.func.max(first.subquery().c.seq))).scalar()  # their numbers are there
        permitted = connection.execute(sa.select(tables.journal_blotted.c.seq)).scalar_one()
    if last is not None and last > permitted:
        Directory(engine, "bridge", place).note_blotting(SUBJECT, _WHAT.format(last), last)


def _iterate_entries(engine: sa.Engine, is_old: sa.ColumnElement[bool]) -> Iterator[list[int]]:
    """Yield the commands that are meant, some at a time."""
    entry = tables.commands.c.entry
    query = sa.select(entry).where(is_old).order_by(entry).limit(_AT_ONCE)
    after = -1
    while True:
        with engine.connect() as connection:
            entries = list(connection.execute(query.where(entry > after)).scalars())
        if not entries:
            return
        yield entries
        after = entries[-1]


def _blot_command(connection: sa.Connection, entry: int) -> None:
    columns = tables.journal.c
    rows = connection.execute(sa.select(tables.journal).where(columns.entry == entry)).all()
    for row in rows:
        detail = _blot_detail(row)
        if detail is not None:
            connection.execute(tables.journal.update().where(columns.seq == row.seq).values(detail=detail))
    commands = tables.commands
    connection.execute(commands.update().where(commands.c.entry == entry).values(number=BLOTTED))


def _blot_detail(row: sa.Row) -> str | None:
    """Return the detail of a row without its number, or None if the row has none."""
    if row.stage not in ("received", MANY):
        return None
    lines = json.loads(row.detail)
    details = [line[3] for line in lines if line[0] == "received"] if row.stage == MANY else [lines]
    for detail in details:
        detail[_NUMBER] = BLOTTED
    return detail_of(lines) if details else None


_HAS_NUMBER = sa.and_(tables.commands.c.number.is_not(None), tables.commands.c.number != BLOTTED)
