"""The operations of the wire contract as rows with named columns. Does not judge them.

An operation that is not in the table, or whose row names no permission, has no row here, and the caller refuses it.
"""

from functools import lru_cache
from typing import NamedTuple

from phoneterm.core import operations

_ROWS_REMEMBERED = 64


class Operation(NamedTuple):
    """One row; the table explains the columns. `code` and `role`: how it is keyed, "" where it is not."""

    name: str
    permission: str
    code: str
    role: str
    takes_number: bool
    acts_on: str
    ends: str
    title: str
    asked: str
    worked: str


@lru_cache(_ROWS_REMEMBERED)
def find_operation(name: str) -> Operation | None:
    """Return the operation of a word on the wire, or None where there is none."""
    row = operations.find(name)
    if row is None:
        return None
    word, permission, keyed, takes_number, *rest = row
    code, role = (keyed, "") if keyed[0] in "#*" else ("", keyed)
    return Operation(word, permission, code, role, bool(takes_number), *rest, *operations.words_of(word))


def all_operations() -> list[Operation]:
    """Return all operations, in the order of the table."""
    return [row for row in map(find_operation, operations.names()) if row is not None]
