"""The journal's statements: carries out a group of writes, of any number, with a handful of statements.

Does not decide what is written. The order is kept as far as it matters: commands, then their lines, then the list of
open commands. All lines of one command in a group become one row at the end of the hash chain: a row costs the same
whether it holds one line or five.
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
    """A new command: its row of `commands`, and its first lines. The result is None."""

    row: CommandRow
    lines: list[Line]
    is_open: bool


class Addition(NamedTuple):
    """One more line of a command; a final one closes the command. The result is None."""

    entry: int
    line: Line
    is_final: bool


class Search(NamedTuple):
    """Finds a terminal's first command with this id since a time; the terminal was at that extension then.

    The result is (its row, (word, reason) of its last result or None), or None.
    """

    tid: str
    command_id: str
    extension: str
    since_ms: int


class Indexing(NamedTuple):
    """Updates the index of commands. The result is None."""


class Closing(NamedTuple):
    """Gives every command that was open before the group the result unknown. The result is the number of them."""

    at_ms: int


def write_group(connection: sqlite3.Connection, writes: list) -> list:
    """Carry out a group of writes and return the result of each."""
    _insert_commands(connection, [write.row for write in writes if isinstance(write, Opening)])
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
            lines[write.row.entry] = list(write.lines)  # a group that fails is written again
            if write.is_open:
                opened.append((write.row.entry,))
        elif isinstance(write, Indexing):
            connection.execute(_INDEX_REST)
            connection.execute(_NOTE_INDEXED)
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
_INDEXED = "SELECT entry FROM commands_indexed"
_INDEX = "INSERT INTO commands_by_extension (extension, received_ms, entry)"
_INDEX_REST = """
    INSERT INTO commands_by_extension (extension, received_ms, entry)
    SELECT extension, received_ms, entry FROM commands WHERE entry > (SELECT entry FROM commands_indexed)
    ORDER BY 1, 2, 3
"""
_NOTE_INDEXED = "UPDATE commands_indexed SET entry = coalesce((SELECT max(entry) FROM commands), 0)"
_FIND = f"""
    SELECT {_COLUMNS} FROM commands WHERE tid = :tid AND command_id = :command_id AND (
      entry IN (SELECT entry FROM commands_by_extension WHERE extension = :extension AND received_ms >= :since_ms)
      OR entry > ({_INDEXED}))
    ORDER BY entry LIMIT 1
"""  # noqa: S608
_FIND_RESULT = (
    "SELECT word, reason FROM lines WHERE entry = ? AND stage = 'result' ORDER BY seq DESC, part DESC LIMIT 1"
)


def _insert_commands(connection: sqlite3.Connection, rows: list[CommandRow]) -> None:
    """Insert commands; one that was received before the last indexed one is added to the index too."""
    if not rows:
        return
    insert_many(connection, _TAKE, rows)
    (indexed,) = connection.execute(_INDEXED).fetchone()
    late = [(row.extension, row.received_ms, row.entry) for row in rows if row.entry <= indexed]
    insert_many(connection, _INDEX, late)


def _find(connection: sqlite3.Connection, search: Search) -> tuple[CommandRow, tuple[str, str | None] | None] | None:
    found = connection.execute(_FIND, search._asdict()).fetchone()
    if found is None:
        return None
    row = CommandRow(*found)
    return row, connection.execute(_FIND_RESULT, (row.entry,)).fetchone()
