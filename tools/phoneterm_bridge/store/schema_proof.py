"""Compares a store's tables, views, triggers and indexes with those that the migrations make. Changes nothing.

What people read goes through a view, and triggers keep the journal append-only: one that was replaced or dropped is
found here, whatever the rows say. What SQLite keeps for itself (`sqlite_...`) has no text, and does not count.
"""

from functools import lru_cache

import sqlalchemy as sa

from phoneterm_bridge.store.schema import bring_up_to_date

_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
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
