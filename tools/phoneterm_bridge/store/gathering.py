"""Many changes of the directory, made in memory first and then written at once. Does not know what they say.

While changes are made one after another in one transaction, the store is locked, a few milliseconds for each, and the
running bridge can journal no command. So they are made in a copy of the directory's tables; what is different then is
written in few statements, with the changes' rows in the journal. Nothing is ever removed this way.
"""

import json
import sqlite3

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import tables, wall_clock
from phoneterm_bridge.store.database import driver_of
from phoneterm_bridge.store.journal_chain import FIRST_HASH, Row, add_rows, detail_of
from phoneterm_bridge.store.many_rows import insert_many

_COPIED = (tables.users, tables.extensions, tables.terminals, tables.permissions)  # each after those it refers to
_OF_CHANGES = (tables.state, tables.journal, tables.journal_head)
_COLUMNS = [tables.journal.c[name] for name in Row._fields]
_Rows = dict[str, set[tuple]]


class Gathering:
    """The copy of one directory: changes are made on `engine`, and then `write` is called once."""

    def __init__(self, store: sa.Engine) -> None:
        self.engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        tables.metadata.create_all(self.engine, tables=[*_COPIED, *_OF_CHANGES])
        with store.connect() as connection:
            self._before = _read_rows(connection)
            state = connection.execute(sa.select(tables.state)).mappings().one()
        self._revision: int = state["revision"]
        with self.engine.begin() as connection:
            connection.execute(tables.state.insert().values(**state))
            connection.execute(tables.journal_head.insert().values(id=1, seq=0, hash=FIRST_HASH))
            for table in _COPIED:
                _put_rows(driver_of(connection), table, self._before[table.name])

    def write(self, connection: sa.Connection) -> None:
        """Write all that has changed, in a writing transaction of the store.

        SetupProblem when somebody else has changed the same tables meanwhile.
        """
        with self.engine.connect() as copy:
            after = _read_rows(copy)
            raised = copy.execute(sa.select(tables.state.c.revision)).scalar_one() - self._revision
            changes = [Row._make(row) for row in copy.execute(sa.select(*_COLUMNS).order_by(tables.journal.c.seq))]
        now = connection.execute(sa.select(tables.state.c.revision)).scalar_one()
        driver = driver_of(connection)
        if now != self._revision and _read_rows(connection) != self._before:
            raise SetupProblem("Another command has changed the store meanwhile, so nothing was done: try again.")
        for table in _COPIED:
            _put_rows(driver, table, after[table.name] - self._before[table.name])
        connection.execute(tables.state.update().values(revision=now + raised))
        add_rows(driver, [_move(row, now - self._revision) for row in changes])

    def close(self) -> None:
        """Forget the copy."""
        self.engine.dispose()


def _read_rows(connection: sa.Connection) -> _Rows:
    return {table.name: set(map(tuple, connection.execute(sa.select(table)))) for table in _COPIED}


def _put_rows(driver: sqlite3.Connection, table: sa.Table, rows: set[tuple]) -> None:
    """Insert rows in the order of their keys, as lists show them, or replace those with the same key."""
    (key,) = table.primary_key.columns
    place = list(table.columns).index(key)
    others = ", ".join(f'"{one.name}" = excluded."{one.name}"' for one in table.columns if one is not key)
    tail = f' ON CONFLICT ("{key.name}") DO UPDATE SET {others}'
    insert_many(driver, f"INSERT INTO {table.name} ({_columns(table)})", sorted(rows, key=lambda row: row[place]), tail)


def _columns(table: sa.Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _move(row: Row, revisions: int) -> Row:
    """Return a change's row as it is written now, after so many changes of others."""
    detail = json.loads(row.detail or "null")
    return row._replace(
        at_ms=wall_clock.now_ms(), detail=detail_of(detail | {"revision": detail["revision"] + revisions})
    )
