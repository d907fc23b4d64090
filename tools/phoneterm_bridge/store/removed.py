"""Which terminals were removed from the directory, and when: the journal alone still knows. Removes nothing.

A backup may still have such a terminal with its secrets, and a broker may still keep its messages.
"""

import sqlite3

import sqlalchemy as sa

from phoneterm_bridge.store.database import driver_of

REMOVED = "terminal removed"  # what the journal says of it
_QUERY = """
SELECT json_extract(detail, '$.subject'), at_ms FROM journal
WHERE stage = 'change' AND json_extract(detail, '$.what') = ?
"""


def read_removals(connection: sqlite3.Connection) -> set[tuple[str, int]]:
    """Return (tid, when in milliseconds) of every removal; a removed id may have been enrolled anew since."""
    try:
        return set(connection.execute(_QUERY, (REMOVED,)))
    except sqlite3.OperationalError:  # a store of an early version, which could not remove
        return set()


def read_removed(engine: sa.Engine) -> set[str]:
    """Return the ids that have ever been removed."""
    with engine.connect() as connection:
        return {tid for tid, _ in read_removals(driver_of(connection))}
