"""The journal's hash chain: what the hash of a row covers, and how rows are added. Does not know what rows mean.

The hash of a row is SHA-256 over the hash of the row before it (32 zero bytes before the first one) and its content:
the compact JSON array [seq, entry, at_ms, stage, word, reason, detail]. `seq` rises by one from 1 on. The head says
which row is the last one and what its hash is. This is the format of all journals there are: it never changes.
"""

import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa

from phoneterm_bridge.store import tables

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
    fields = [seq, row["entry"], row["at_ms"], row["stage"], row["word"], row["reason"], row["detail"]]
    return hashlib.sha256(previous + _to_text(fields).encode()).digest()


def add_rows(connection: sa.Connection, rows: list[dict]) -> None:
    """Append rows to the chain; the connection must be in a writing transaction, and nobody else may be."""
    if not rows:
        return
    seq, last = connection.execute(_READ_HEAD).one()
    for row in rows:
        seq += 1
        last = hash_row(last, seq, row)
        row["seq"], row["hash"] = seq, last
    connection.execute(_ADD, rows)
    connection.execute(_MOVE_HEAD, {"new_seq": seq, "new_hash": last})


_HEAD = tables.journal_head.c
_READ_HEAD = sa.select(_HEAD.seq, _HEAD.hash).with_for_update()
_MOVE_HEAD = tables.journal_head.update().values(seq=sa.bindparam("new_seq"), hash=sa.bindparam("new_hash"))
_ADD = tables.journal.insert()
