"""The journal's hash chain: what the hash of a row covers, and how rows are added. Does not know what rows mean.

The hash of a row is SHA-256 over the hash of the row before it (32 zero bytes before the first one) and its content:
seq, entry, at_ms, stage, word, reason and detail as lines of UTF-8 text, an absent one empty. Only the last of them may
have any characters, so no two contents are the same text. `seq` rises by one from 1 on. The head says which row is the
last one and what its hash is. This is the format of all journals there are: it never changes.
The statements are the driver's own text, because this is where a busy bridge spends its time.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from phoneterm_bridge.store.many_rows import insert_many

FIRST_HASH = bytes(32)
# What makes a command: its row of `commands` is repeated, and so protected, in the detail of its line "received".
COMMAND_COLUMNS = ("tid", "command_id", "extension", "op", "number", "call")
_to_text = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Row(NamedTuple):
    """A line of the journal, without its place in the chain."""

    entry: int | None
    at_ms: int
    stage: str
    word: str
    reason: str | None = None
    detail: str | None = None


def detail_of(value: object) -> str:
    """Return a detail as the text that is kept."""
    return _to_text(value)


def command_detail(command: Mapping) -> str:
    """Return the detail of the line "received" of a command, from its row."""
    return _to_text([command[name] for name in COMMAND_COLUMNS])


def hash_row(previous: bytes, seq: int, row: Mapping) -> bytes:
    """Return the hash of a row that follows the one with the hash `previous`."""
    return _hash(previous, seq, *map(row.__getitem__, Row._fields))


def add_rows(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Append rows to the chain; the connection must be in a writing transaction, and nobody else may be."""
    if not rows:
        return
    seq, last = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
    chained = []
    for row in rows:
        seq += 1
        last = _hash(last, seq, *row)
        chained.append((seq, *row, last))
    insert_many(connection, _ADD, chained)
    connection.execute("UPDATE journal_head SET seq = ?, hash = ?", (seq, last))


_ADD = f"INSERT INTO journal (seq, {', '.join(Row._fields)}, hash)"


def _hash(
    previous: bytes, seq: int, entry: int | None, at_ms: int, stage: str, word: str, reason: str | None,
    detail: str | None,
) -> bytes:  # fmt: skip
    content = f"{seq}\n{entry or ''}\n{at_ms}\n{stage}\n{word}\n{reason or ''}\n{detail or ''}"
    return hashlib.sha256(previous + content.encode()).digest()
