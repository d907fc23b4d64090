"""The journal's statements: carries out a group of writes with a handful of statements, however many they are.

Does not decide what is written. A group is carried out in order as far as it matters: commands, then their lines,
then which commands are open. Runs in the journal's writer thread.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from phoneterm_bridge.store import tables


@dataclass(frozen=True)
class Opening:
    """A new command: its row of `commands`, and its first lines. Comes to True, or False if (tid, id) is there."""

    row: dict
    lines: list[dict]
    is_open: bool


@dataclass(frozen=True)
class Line:
    """One more line of a timeline; a final one closes the command. Comes to None."""

    row: dict
    is_final: bool


@dataclass(frozen=True)
class Search:
    """Looks for one command. Comes to (its row, the row of its last result or None), or None."""

    tid: str
    command_id: str


@dataclass(frozen=True)
class Closing:
    """Gives every open command the result unknown. Comes to how many there were."""

    at_ms: int


def write_group(connection: sa.Connection, writes: list) -> list:
    """Carry out a group of writes and return what each came to."""
    taken = _insert_commands(connection, [write.row for write in writes if isinstance(write, Opening)])
    rows, opened, closed = [], [], []
    for write in writes:
        if isinstance(write, Opening) and write.row["entry"] in taken:
            rows += write.lines
            opened += [{"entry": write.row["entry"]}] if write.is_open else []
        elif isinstance(write, Line):
            rows.append(write.row)
            closed += [{"closed": write.row["entry"]}] if write.is_final else []
    for statement, parameters in ((_ADD_LINES, rows), (_ADD_OPEN, opened), (_CLOSE, closed)):
        if parameters:
            connection.execute(statement, parameters)
    return [_result(connection, write, taken) for write in writes]


_ADD_LINES = tables.command_events.insert()
_ADD_OPEN = tables.open_commands.insert()
_CLOSE = tables.open_commands.delete().where(tables.open_commands.c.entry == sa.bindparam("closed"))
_TAKE = insert(tables.commands).on_conflict_do_nothing().returning(tables.commands.c.entry)


def _insert_commands(connection: sa.Connection, rows: list[dict]) -> set[int]:
    """Insert the commands whose (tid, id) is not there yet; return the entries of those."""
    return set(connection.execute(_TAKE, rows).scalars()) if rows else set()


def _result(connection: sa.Connection, write: object, taken: set[int]) -> object:
    if isinstance(write, Opening):
        return write.row["entry"] in taken
    if isinstance(write, Search):
        return _find(connection, write)
    if isinstance(write, Closing):
        return _close_all(connection, write.at_ms)
    return None


def _find(connection: sa.Connection, search: Search) -> tuple[sa.Row, sa.Row | None] | None:
    commands, events = tables.commands.c, tables.command_events.c
    where = (commands.tid == search.tid, commands.command_id == search.command_id)
    found = connection.execute(sa.select(tables.commands).where(*where)).first()
    if found is None:
        return None
    results = sa.select(events.word, events.reason).where(events.entry == found.entry, events.stage == "result")
    return found, connection.execute(results.order_by(events.seq.desc()).limit(1)).first()


def _close_all(connection: sa.Connection, at_ms: int) -> int:
    entries = connection.execute(sa.select(tables.open_commands.c.entry)).scalars().all()
    line = {"at_ms": at_ms, "stage": "result", "word": "unknown", "reason": None}
    if entries:
        connection.execute(tables.command_events.insert(), [line | {"entry": entry} for entry in entries])
        connection.execute(tables.open_commands.delete())
    return len(entries)
