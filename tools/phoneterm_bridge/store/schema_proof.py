"""Compares a store's tables, views, triggers and indexes with those that the migrations make. Changes nothing.

What people read goes through a view, and triggers keep the journal append-only: one that was replaced or dropped is
found here, whatever the rows say. So is an index that leaves out rows, which lists would not show then: SQLite compares
its indexes with the rows. Only what it makes without a text, and its own tables, do not count: whoever writes into the
schema itself can give a trigger a name like theirs, too.
"""

from functools import lru_cache

import sqlalchemy as sa

from phoneterm_bridge.store.schema import bring_up_to_date

_QUERY = """
    SELECT type, name, tbl_name, sql FROM sqlite_master
    WHERE sql IS NOT NULL AND NOT (type = 'table' AND name IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4'))
"""
_CHECK, _SOUND = "PRAGMA integrity_check(1)", "ok"
Parts = dict[tuple[str, str], tuple[str, str]]


def find_schema_difference(connection: sa.Connection) -> str | None:
    """Return the first part of the schema that is not what the migrations make; None when all are."""
    found, right = _read_parts(connection), _make_parts()
    for part in sorted(right.keys() | found.keys()):
        what = f"the {part[0]} {part[1]!a}"
        if part not in found:
            return f"{what} is missing in the store's schema"
        if part not in right:
            return f"{what} does not belong in the store's schema"
        if found[part] != right[part]:
            return f"{what} of the store's schema is not the one that this version makes"
    return None


def find_damage(connection: sa.Connection) -> str | None:
    """Return the first place where an index is not what its rows make, or the file is damaged; None when all is right.

    Reads the whole store.
    """
    found = str(connection.exec_driver_sql(_CHECK).scalar_one())
    return None if found == _SOUND else f"SQLite finds in the store: {found}"


def _read_parts(connection: sa.Connection) -> Parts:
    rows = connection.exec_driver_sql(_QUERY)
    return {(kind, name): (table, " ".join((text or "").split())) for kind, name, table, text in rows}


@lru_cache(1)
def _make_parts() -> Parts:
    """Return the schema of a store that the migrations have just made, in memory."""
    engine = sa.create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            bring_up_to_date(connection)
            return _read_parts(connection)
    finally:
        engine.dispose()
