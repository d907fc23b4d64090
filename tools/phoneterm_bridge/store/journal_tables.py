"""The journal's statements: carries out a group of writes with a handful of statements, however many they are.

Does not decide what is written. A group is carried out in order as far as it matters: commands, then their lines,
then which commands are open. All lines go to the end of the hash chain. Runs in the journal's writer thread.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.journal_chain import add_rows


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
    """Gives every command that is open before the group the result unknown. Comes to how many there were."""

    at_ms: int


def write_group(connection: sa.Connection, writes: list) -> list:
    """Carry out a group of writes and return what each came to."""
    taken = _insert_commands(connection, [write.row for write in writes if isinstance(write, Opening)])
    rows, opened, closed, results = [], [], [], []
    for write in writes:
        result: object = None
        if isinstance(write, Opening):
            result = write.row["entry"] in taken
            rows += write.lines if result else []
            opened += [write.row["entry"]] if result and write.is_open else []
        elif isinstance(write, Line):
            rows.append(write.row)
            closed += [write.row["entry"]] if write.is_final else []
        elif isinstance(write, Closing):
            left = connection.execute(sa.select(tables.open_commands.c.entry)).scalars().all()
            rows += [line(entry, write.at_ms, "result", "unknown") for entry in left]
            closed += left
            result = len(left)
        results.append(result)
    add_rows(connection, rows)
    for statement, entries in ((_ADD_OPEN, opened), (_CLOSE, closed)):
        if entries:
            connection.exec_driver_sql(statement, [(entry,) for entry in entries])
    return [
        _find(connection, write) if isinstance(write, Search) else result
        for write, result in zip(writes, results, strict=True)
    ]


def line(entry: int, at_ms: int, stage: str, word: str, reason: str | None = None, detail: str | None = None) -> dict:
    """Return a line of a command's timeline as a row of the journal."""
    return {"entry": entry, "at_ms": at_ms, "stage": stage, "word": word, "reason": reason, "detail": detail}


_COLUMNS = ("entry", "tid", "command_id", "received_ms", "extension", "op", "number", "call")
_TAKE = (
    f"INSERT INTO commands ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)
_ADD_OPEN = "INSERT INTO open_commands (entry) VALUES (?)"
_CLOSE = "DELETE FROM open_commands WHERE entry = ?"


def _insert_commands(connection: sa.Connection, rows: list[dict]) -> set[int]:
    """Insert the commands whose (tid, id) is not there yet; return the entries of those."""
    if not rows:
        return set()
    entries = {row["entry"] for row in rows}
    taken = connection.exec_driver_sql(_TAKE, [tuple(map(row.__getitem__, _COLUMNS)) for row in rows]).rowcount
    if taken == len(rows):
        return entries
    column = tables.commands.c.entry
    return set(connection.execute(sa.select(column).where(column.in_(entries))).scalars())


def _find(connection: sa.Connection, search: Search) -> tuple[sa.Row, sa.Row | None] | None:
    commands, events = tables.commands.c, tables.journal.c
    where = (commands.tid == search.tid, commands.command_id == search.command_id)
    found = connection.execute(sa.select(tables.commands).where(*where)).first()
    if found is None:
        return None
    results = sa.select(events.word, events.reason).where(events.entry == found.entry, events.stage == "result")
    return found, connection.execute(results.order_by(events.seq.desc()).limit(1)).first()
