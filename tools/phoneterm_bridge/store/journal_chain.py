"""The journal's hash chain: what the hash of a row covers, and how rows are added. Does not know what rows mean.

The hash of a row is SHA-256 over the hash of the row before it (32 zero bytes before the first one) and its content:
seq, entry, at_ms, stage, word, reason and detail as lines of UTF-8 text, an absent one empty. Only the last of them may
have any characters, so no two contents are the same text. `seq` rises by one from 1 on. The head says which row is the
last one and what its hash is. This is the format of all journals there are: it never changes.
The statements are the driver's own text, because this is where a busy bridge spends its time.
"""

import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa

FIRST_HASH = bytes(32)
# What makes a command: its row of `commands` is repeated, and so protected, in the detail of its line "received".
_COMMAND_COLUMNS = ("tid", "command_id", "extension", "op", "number", "call")
_to_text = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def detail_of(value: object) -> str:
    """Return a detail as the text that is kept."""
    return _to_text(value)


def command_detail(command: Mapping) -> str:
    """Return the detail of the line "received" of a command, from its row."""
    return _to_text([command[name] for name in _COMMAND_COLUMNS])


def hash_row(previous: bytes, seq: int, row: Mapping) -> bytes:
    """Return the hash of a row that follows the one with the hash `previous`."""
    entry, reason, detail = row["entry"] or "", row["reason"] or "", row["detail"] or ""
    content = f"{seq}\n{entry}\n{row['at_ms']}\n{row['stage']}\n{row['word']}\n{reason}\n{detail}"
    return hashlib.sha256(previous + content.encode()).digest()


def add_rows(connection: sa.Connection, rows: list[dict]) -> None:
    """Append rows to the chain; the connection must be in a writing transaction, and nobody else may be."""
    if not rows:
        return
    seq, last = connection.exec_driver_sql("SELECT seq, hash FROM journal_head").one()
    chained = []
    for row in rows:
        seq += 1
        last = hash_row(last, seq, row)
        chained.append((seq, *map(row.__getitem__, _COLUMNS), last))
    connection.exec_driver_sql(_ADD, chained)
    connection.exec_driver_sql("UPDATE journal_head SET seq = ?, hash = ?", (seq, last))


_COLUMNS = ("entry", "at_ms", "stage", "word", "reason", "detail")
_ADD = f"INSERT INTO journal (seq, {', '.join(_COLUMNS)}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
