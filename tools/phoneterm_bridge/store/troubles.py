"""What is wrong with terminals, as the running bridge knows it, for other commands to read. Detects nothing itself.

The bridge writes all troubles whenever they change, and begins with none: every terminal reports its own again. So
after a bridge has ended, the table holds what it knew last. Times are milliseconds since 1970.
"""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import driver_of, writing
from phoneterm_bridge.store.many_rows import insert_many

PERMISSIONS = "permissions"  # the terminal has not accepted those that it was sent
CONFIG = "config"  # the same
MEMORY = "memory"  # the terminal is short of it
EXCESS = "excess"  # it says or holds too much, and is slowed down or cut off
TWICE = "twice"  # two boards, or more, use its name in turn
KINDS = (PERMISSIONS, CONFIG, MEMORY, EXCESS, TWICE)

_columns = tables.troubles.c


class Trouble(NamedTuple):
    """One trouble of one terminal: what it is, since when, and a few words of detail."""

    tid: str
    what: str
    since_ms: int
    detail: str


def replace_all(engine: sa.Engine, troubles: Collection[Trouble]) -> None:
    """Replace all noted troubles with these."""
    with writing(engine) as connection:
        connection.execute(tables.troubles.delete())
        insert_many(
            driver_of(connection),
            "INSERT INTO troubles (tid, what, since_ms, detail)",
            [tuple(one) for one in troubles],
        )


def read_all(connection: sa.Connection) -> list[Trouble]:
    """Return all troubles of terminals that are not revoked, sorted by terminal."""
    return [Trouble(*row) for row in connection.execute(_query())]


def read_at(connection: sa.Connection, extension: str) -> list[Trouble]:
    """Return the troubles of an extension's terminals that are not revoked, sorted by terminal."""
    here = _query().where(tables.terminals.c.extension == extension)
    return [Trouble(*row) for row in connection.execute(here)]


def _query() -> sa.Select:
    query = sa.select(*(_columns[name] for name in Trouble._fields)).join(tables.terminals)
    return query.where(~tables.terminals.c.revoked).order_by(_columns.tid, _columns.what)
