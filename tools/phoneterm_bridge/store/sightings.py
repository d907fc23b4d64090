"""What the bridge last saw of each terminal, for other commands to read and for its own next start.

Sees no terminal itself. While a bridge runs, a sighting is at most a second old; after it has ended, the table holds
what it saw last. Times are milliseconds since 1970.
"""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import driver_of, writing
from phoneterm_bridge.store.many_rows import delete_many, insert_many


class Sighting(NamedTuple):
    """One terminal: whether it was online and when it last said something, and what it said of itself.

    address: None where the broker is not the bridge's own. rssi_dbm: None until it was reported. refusals: the number
    of the last refusal of this start that the journal has, None for firmware that does not report what it refuses.
    """

    tid: str
    is_online: bool
    seen_ms: int
    boot: str
    firmware: str
    board: str
    address: str | None = None
    rssi_dbm: int | None = None
    refusals: int | None = None


def write_all(engine: sa.Engine, sightings: Collection[Sighting]) -> None:
    """Write these sightings in place of earlier ones, except of terminals that were removed meanwhile."""
    with writing(engine) as connection:
        there = set(connection.execute(sa.select(tables.terminals.c.tid)).scalars())
        driver = driver_of(connection)
        delete_many(driver, "DELETE FROM sightings WHERE tid", [one.tid for one in sightings])
        head = f"INSERT INTO sightings ({', '.join(Sighting._fields)})"
        insert_many(driver, head, [tuple(one) for one in sightings if one.tid in there])


def read_all(connection: sa.Connection) -> dict[str, Sighting]:
    """Return the sighting of every terminal that has one, by tid."""
    return {row.tid: Sighting(*row) for row in connection.execute(sa.select(*_COLUMNS))}


def read_at(connection: sa.Connection, extension: str) -> dict[str, Sighting | None]:
    """Return the sightings of an extension's terminals that are not revoked, by tid; None for one never seen."""
    terminals = tables.terminals.c
    wide = tables.terminals.outerjoin(tables.sightings, terminals.tid == tables.sightings.c.tid)
    query = sa.select(terminals.tid.label("of"), *_COLUMNS).select_from(wide)
    query = query.where(terminals.extension == extension, ~terminals.revoked).order_by(terminals.tid)
    return {row.of: None if row.tid is None else Sighting(*row[1:]) for row in connection.execute(query)}


_COLUMNS = tuple(tables.sightings.c[name] for name in Sighting._fields)
