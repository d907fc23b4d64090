"""The journal's hash chain: what a row holds, what its hash covers, how rows are added. Does not know what lines mean.

A row is one line. With the stage `MANY` it is several lines of one command that were written together: its detail is
a JSON list of [stage, word, reason, detail, at_ms]. In the store's view `lines` every line is a row of its own.
The hash of a row is SHA-256 over the hash of the row before it (32 zero bytes before the first one) and its content:
seq, entry, at_ms, stage, word, reason and detail as lines of UTF-8 text, an absent one empty. Only the last of them may
have any characters, so no two contents are the same text. `seq` starts at 1 and rises by one. The head holds the number
of the last row and its hash. This is the format of every existing journal: it never changes.
The statements go directly to the driver, because this is where a busy bridge spends its time.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from phoneterm_bridge.store.many_rows import insert_many

FIRST_HASH = bytes(32)
MANY = "lines"
_to_text = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
# What makes up a command: its line "received" repeats its row of `commands` in the detail, which protects it.
command_values = attrgetter("tid", "command_id", "extension", "op", "number", "call")

# Stage, word, reason, detail (a JSON value, None for nothing), ms since 1970.
Line = tuple[str, str, str | None, object, int]


class Row(NamedTuple):
    """A row of the journal, without its place in the chain."""

    entry: int | None
    at_ms: int
    stage: str
    word: str
    reason: str | None = None
    detail: str | None = None


def detail_of(value: object) -> str:
    """Return a detail as the text that is stored: ASCII, so that it can contain what is not UTF-8, such as a name."""
    return _to_text(value)


def row_of(entry: int, lines: Sequence[Line]) -> Row:
    """Return the row that holds these lines of a command; there is at least one."""
    stage, word, reason, detail, at_ms = lines[0]
    if len(lines) > 1:
        return Row(entry, at_ms, MANY, "command", None, orjson.dumps(lines).decode())
    return Row(entry, at_ms, stage, word, reason, None if detail is None else detail_of(detail))


def lines_in(row: Any) -> list[Line]:
    """Return the lines of a row (anything with the fields of Row); ValueError if it is not the row of a journal."""
    detail = json.loads(row.detail or "null")
    if row.stage == MANY:
        return [(stage, word, reason, more, at_ms) for stage, word, reason, more, at_ms in detail]
    return [(row.stage, row.word, row.reason, detail, row.at_ms)]


def hash_row(previous: bytes, seq: int, row: Any) -> bytes:
    """Return the hash of a row (anything with the fields of Row); `previous` is the hash of the row before it."""
    return _hash(previous, seq, *_content_of(row))


def add_rows(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Append rows to the chain; the connection must be in a writing transaction, and no other may be."""
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


_content_of = attrgetter(*Row._fields)
_ADD = f"INSERT INTO journal (seq, {', '.join(Row._fields)}, hash)"


def _hash(
    previous: bytes, seq: int, entry: int | None, at_ms: int, stage: str, word: str, reason: str | None,
    detail: str | None,
) -> bytes:  # fmt: skip
    content = f"{seq}\n{entry or ''}\n{at_ms}\n{stage}\n{word}\n{reason or ''}\n{detail or ''}"
    return hashlib.sha256(previous + content.encode()).digest()
