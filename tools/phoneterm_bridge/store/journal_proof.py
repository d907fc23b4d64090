"""Proves that the journal is as it was written, and that all that people read or the bridge decides by follows from it.

A row that was changed, added or removed breaks the chain there; the head reveals rows missing at the end. The commands
and their index, the directory with its rights, and the schema with its views and triggers are compared with what the
rows and the migrations make. Changes nothing.
Whoever can write the file can also forge a whole new chain, or cut off its end. Only a head (seq and hash) that was
noted elsewhere shows that: it is looked up in the chain. Works on one snapshot, even while a bridge writes.
"""

from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.directory_proof import Derived, needs_whole
from phoneterm_bridge.store.journal_blotting import is_blotted, read_permitted
from phoneterm_bridge.store.journal_chain import FIRST_HASH, MANY, Line, command_values, hash_row, lines_in
from phoneterm_bridge.store.schema_proof import find_damage, find_schema_difference

_ROWS_AT_ONCE = 2000
_TELLING = ("received", MANY)  # the stages of rows that may contain what was received


class Head(NamedTuple):
    """A place in the chain."""

    seq: int
    hash: bytes

    def write(self) -> str:
        """Return it as text: SEQ:HASH."""
        return f"{self.seq}:{self.hash.hex()}"


class Proof(NamedTuple):
    """The head of a whole chain, or the first broken row and what is wrong with it.

    broken_seq: None with a problem where all rows are right, and what should follow from them is not.
    blotted: the rows whose number was blotted out, so that their content is not proven, only their place.
    """

    head: Head
    broken_seq: int | None = None
    broken_at_ms: int | None = None
    problem: str | None = None
    blotted: int = 0

    def describe_problem(self) -> str:
        """Return what is wrong, to be put after "the journal is broken"."""
        return f": {self.problem}" if self.broken_seq is None else f" at entry {self.broken_seq}: {self.problem}"


def prove(engine: sa.Engine, noted: Head | None = None) -> Proof:
    """Follow the chain from its first row to its head."""
    with engine.connect() as connection:
        if problem := _find_not_single(connection):
            return Proof(Head(0, FIRST_HASH), problem=problem)
        head = Head(*connection.execute(_HEAD).one())
        may_be_blotted = connection.execute(sa.select(tables.journal_blotted.c.seq)).scalar_one()
        seq, last, received, blotted, last_blotted, permitted, directory = 0, FIRST_HASH, 0, 0, 0, 0, Derived()
        for row in connection.execute(_ROWS.execution_options(yield_per=_ROWS_AT_ONCE)):
            seq += 1
            last = hash_row(last, seq, row)
            if row.hash != last and seq == row.seq <= may_be_blotted and is_blotted(row):
                last, blotted, last_blotted = row.hash, blotted + 1, seq
            problem = _find_problem(row, Head(seq, last), noted) or directory.follow(row)
            if problem is not None:
                return Proof(head, seq, row.at_ms, problem)
            permitted = max(permitted, read_permitted(row))
            received += _received_in(row) is not None
        is_incomplete = connection.execute(_NOT_INDEXED).first() is not None
        is_misleading = connection.execute(_NOT_COMMANDS).first() is not None
        known = connection.execute(sa.select(sa.func.count()).select_from(tables.commands)).scalar_one()
        difference = directory.find_difference(connection) or find_schema_difference(connection)
        difference = difference or find_damage(connection)
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
    if is_misleading:
        return Proof(head, seq, None, "the index by extension has what is no command")
    return Proof(head, problem=difference, blotted=blotted)


def read_head(engine: sa.Engine) -> Head:
    """Return the head as it is now, without a proof."""
    with engine.connect() as connection:
        return Head(*connection.execute(_HEAD).one())


def is_directory_told(engine: sa.Engine) -> bool:
    """Return whether the changes tell all that the directory has; not so if an early version made them."""
    with engine.connect() as connection:
        return not needs_whole(connection)


_HEAD = sa.select(tables.journal_head.c.seq, tables.journal_head.c.hash)
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
_own = sa.select(tables.commands).where(
    *(column == tables.commands.c[column.name] for column in tables.commands_by_extension.c)
)
_NOT_COMMANDS = (
    sa.select(tables.commands_by_extension.c.entry)
    .where(~_own.exists() | (tables.commands_by_extension.c.entry > _indexed))
    .limit(1)
)
_SINGLE = (tables.state, tables.journal_head, tables.commands_indexed, tables.journal_blotted)


def _find_not_single(connection: sa.Connection) -> str | None:
    """Return which table of one row has none, or several, so that nobody knows which one counts."""
    for table in _SINGLE:
        count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        if count != 1:
            return f"the table {table.name} has {count} rows, and should have one"
    return None


def _find_problem(row: sa.Row, right: Head, noted: Head | None) -> str | None:
    """Return what is wrong with a row whose place and hash should be `right`."""
    if row.seq != right.seq:
        return "it is missing"
    if row.hash != right.hash or row.entry == 0 or "" in (row.reason, row.detail):
        return "it is not what was written"  # an empty value has the hash of none, but nothing writes one
    if noted is not None and noted.seq == right.seq and noted.hash != right.hash:
        return "its hash is not the one that was noted"
    try:
        received = _received_in(row)
    except (ValueError, TypeError):  # a forged chain, by somebody who did not know how lines are written
        return "its lines cannot be read"
    if received is None:
        return None
    _, _, _, values, at_ms = received
    return None if values == list(command_values(row)) and at_ms == row.received_ms else _OTHER_COMMAND


def _received_in(row: sa.Row) -> Line | None:
    """Return the line that says what was received, if the row contains it."""
    if row.stage not in _TELLING:
        return None
    return next((line for line in lines_in(row) if line[0] == "received"), None)


_OTHER_COMMAND = "its command is not what was received"
