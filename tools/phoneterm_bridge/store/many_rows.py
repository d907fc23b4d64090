"""Carries out one statement for many rows in few steps of SQLite. Does not know tables.

The driver releases Python's lock for each step and has to get it back; it may have to wait for milliseconds while the
event loop has its turn. So a hundred rows must not be a hundred steps. With these sizes any number of rows takes few
statements, a small number a single one, and there are few prepared statements.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

_SIZES = (64, 32, 16, 8, 7, 6, 5, 4, 3, 2, 1)


def insert_many(connection: sqlite3.Connection, head: str, rows: Sequence[Sequence], tail: str = "") -> int:
    """Insert rows; `head` is "INSERT INTO table (columns)". Return how many were inserted."""
    count = 0
    for part in _parts(rows):
        statement = _statement(head, "VALUES ", f"({', '.join('?' * len(part[0]))})", len(part), tail)
        count += connection.execute(statement, tuple(chain.from_iterable(part))).rowcount
    return count


def delete_many(connection: sqlite3.Connection, head: str, keys: Sequence) -> None:
    """Delete the rows with these keys; `head` is "DELETE FROM table WHERE column"."""
    for part in _parts(keys):
        connection.execute(_statement(head, "IN (", "?", len(part), ")"), tuple(part))


@lru_cache
def _statement(head: str, begin: str, item: str, count: int, end: str) -> str:
    return f"{head} {begin}{', '.join([item] * count)}{end}"


def _parts(rows: Sequence) -> Iterator[Sequence]:
    """Split rows into parts of the known sizes, the largest first."""
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            yield rows[at : at + size]
            at += size
