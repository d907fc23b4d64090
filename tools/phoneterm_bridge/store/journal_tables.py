"""The journal's statements: carries out a group of writes with a handful of statements, however many they are.

Does not decide what is written. A group is carried out in order as far as it matters: commands, then their lines,
then which commands are open. What a group has of one command is one row at the end of the hash chain: a row costs the
same whether it holds one line or five.
"""

import sqlite3
from typing import NamedTuple

from phoneterm_bridge.store.journal_chain import Line, add_rows, row_of
from phoneterm_bridge.store.many_rows import delete_many, insert_many


class CommandRow(NamedTuple):
    """A row of `commands`."""

    entry: int
    tid: str
    command_id: str | None
    received_ms: int
    extension: str
    op: str | None
    number: str | None
    call: str | None


class Opening(NamedTuple):
    """A new command: its row of `commands`, and its first lines. Comes to True, or False if (tid, id) is there."""

    row: CommandRow
    lines: list[Line]
    is_open: bool


class Addition(NamedTuple):
    """One more line of a command; a final one closes the command. Comes to None."""

    entry: int
    line: Line
    is_final: bool


class Search(NamedTuple):
    """Looks for one command. Comes to (its row, (word, reason) of its last result or None), or None."""

    tid: str
    command_id: str


class Closing(NamedTuple):
    """Gives every command that is open before the group the result unknown. Comes to how many there were."""

    at_ms: int


def write_group(connection: sqlite3.Connection, writes: list) -> list:
    """Carry out a group of writes and return what each came to."""
    taken = _insert_commands(connection, [write.row for write in writes if isinstance(write, Opening)])
    lines: dict[int, list[Line]] = {}  # of each command
    opened: list[tuple[int]] = []
    closed: list[int] = []
    results = []
    for write in writes:
        result: object = None
        if isinstance(write, Addition):
            lines.setdefault(write.entry, []).append(write.line)
            if write.is_final:
                closed.append(write.entry)
        elif isinstance(write, Opening):
            result = write.row.entry in taken
            if result:
                lines[write.row.entry] = write.lines
                if write.is_open:
                    opened.append((write.row.entry,))
        elif isinstance(write, Closing):
            left = connection.execute("SELECT entry FROM open_commands").fetchall()
            for (entry,) in left:
                lines.setdefault(entry, []).append(("result", "unknown", None, None, write.at_ms))
                closed.append(entry)
            result = len(left)
        results.append(result)
    add_rows(connection, [row_of(entry, its) for entry, its in lines.items()])
    insert_many(connection, "INSERT INTO open_commands (entry)", opened)
    delete_many(connection, "DELETE FROM open_commands WHERE entry", closed)
    return [
        _find(connection, write) if isinstance(write, Search) else result
        for write, result in zip(writes, results, strict=True)
    ]


_COLUMNS = ", ".join(CommandRow._fields)
_TAKE = f"INSERT INTO commands ({_COLUMNS})"
_IS_THERE = "SELECT 1 FROM commands WHERE entry = ?"
_FIND = f"SELECT {_COLUMNS} FROM commands WHERE tid = ? AND command_id = ?"  # noqa: S608
_FIND_RESULT = (
    "SELECT word, reason FROM lines WHERE entry = ? AND stage = 'result' ORDER BY seq DESC, part DESC LIMIT 1"
)


def _insert_commands(connection: sqlite3.Connection, rows: list[CommandRow]) -> set[int]:
    """Insert the commands whose (tid, id) is not there yet; return the entries of those."""
    if not rows:
        return set()
    entries = [row.entry for row in rows]
    if insert_many(connection, _TAKE, rows, " ON CONFLICT (tid, command_id) DO NOTHING") != len(rows):
        entries = [entry for entry in entries if connection.execute(_IS_THERE, (entry,)).fetchone()]
    return set(entries)


def _find(connection: sqlite3.Connection, search: Search) -> tuple[CommandRow, tuple[str, str | None] | None] | None:
    found = connection.execute(_FIND, search).fetchone()
    if found is None:
        return None
    row = CommandRow(*found)
    return row, connection.execute(_FIND_RESULT, (row.entry,)).fetchone()
