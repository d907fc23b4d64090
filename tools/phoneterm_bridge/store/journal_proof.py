"""Proves that the journal is as it was written: every row, their order, the commands, their index. Changes nothing.

A row that was changed, added or removed breaks the chain there; the head reveals rows missing at the end. Whoever can
write the file can also forge a whole new chain. To detect that, a head (seq and hash) that was noted elsewhere is
looked up in the chain. Works on one snapshot, even while a bridge writes.
"""

from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.journal_blotting import is_blotted, read_permitted
from phoneterm_bridge.store.journal_chain import FIRST_HASH, MANY, command_values, hash_row, lines_in

_ROWS_AT_ONCE = 2000
_TELLING = ("received", MANY)  # the stages of rows that may contain what was received


class Head(NamedTuple):
    """A place in the chain."""

    seq: int
    hash: bytes


class Proof(NamedTuple):
    """The head of a whole chain, or the first broken row and what is wrong with it.

    blotted: the rows whose number was blotted out, so that their content is not proven, only their place.
    """

    head: Head
    broken_seq: int | None = None
    broken_at_ms: int | None = None
    problem: str | None = None
    blotted: int = 0


def prove(engine: sa.Engine, noted: Head | None = None) -> Proof:
    """Follow the chain from its first row to its head."""
    with engine.connect() as connection:
        head = Head(*connection.execute(sa.select(tables.journal_head.c.seq, tables.journal_head.c.hash)).one())
        may_be_blotted = connection.execute(sa.select(tables.journal_blotted.c.seq)).scalar_one()
        seq, last, received, blotted, last_blotted, permitted = 0, FIRST_HASH, 0, 0, 0, 0
        for row in connection.execute(_ROWS.execution_options(yield_per=_ROWS_AT_ONCE)):
            seq += 1
            last = hash_row(last, seq, row)
            if row.hash != last and seq == row.seq <= may_be_blotted and is_blotted(row):
                last, blotted, last_blotted = row.hash, blotted + 1, seq
            problem = _find_problem(row, Head(seq, last), noted)
            if problem is not None:
                return Proof(head, seq, row.at_ms, problem)
            permitted = max(permitted, read_permitted(row))
            received += _received_in(row) is not None
        is_incomplete = connection.execute(_NOT_INDEXED).first() is not None
        known = connection.execute(sa.select(sa.func.count()).select_from(tables.commands)).scalar_one()
    if Head(seq, last) != head:
        return Proof(head, seq + 1, None, f"it is missing, with all rows up to {head.seq}")
    if noted is not None and noted.seq > seq:
        return Proof(head, seq + 1, None, f"it is missing, with all rows up to {noted.seq}")
    if last_blotted > permitted:
        return Proof(head, last_blotted, None, "its number was blotted out, and no entry permits that")
    if known != received:
        return Proof(head, seq, None, f"there are {known} commands, but {received} were received")
    if is_incomplete:
        return Proof(head, seq, None, "there are commands that the index by extension does not have")
    return Proof(head, blotted=blotted)


_ROWS = (
    sa.select(tables.journal, *(column for column in tables.commands.c if column.name != "entry"))
    .select_from(
        tables.journal.outerjoin(
            tables.commands,
            sa.and_(tables.commands.c.entry == tables.journal.c.entry, tables.journal.c.stage.in_(_TELLING)),
        )
    )
    .order_by(tables.journal.c.seq)
)


_indexed = sa.select(tables.commands_indexed.c.entry).scalar_subquery()
_places = sa.select(tables.commands_by_extension).where(
    *(column == tables.commands.c[column.name] for column in tables.commands_by_extension.c)
)
_NOT_INDEXED = sa.select(tables.commands.c.entry).where(tables.commands.c.entry <= _indexed, ~_places.exists()).limit(1)


def _find_problem(row: sa.Row, right: Head, noted: Head | None) -> str | None:
    """Return what is wrong with a row whose place and hash should be `right`."""
    if row.seq != right.seq:
        return "it is missing"
    if row.hash != right.hash:
        return "it is not what was written"
    if noted is not None and noted.seq == right.seq and noted.hash != right.hash:
        return "its hash is not the one that was noted"
    try:
        received = _received_in(row)
    except (ValueError, TypeError):  # a forged chain, by somebody who did not know how lines are written
        return "its lines cannot be read"
    if received is not None and list(command_values(row)) != received:
        return "its command is not what was received"
    return None


def _received_in(row: sa.Row) -> object:
    """Return what was received, if the row contains it."""
    if row.stage not in _TELLING:
        return None
    return next((detail for stage, _, _, detail, _ in lines_in(row) if stage == "received"), None)
