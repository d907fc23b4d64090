"""A new store for each test: a copy of one that the migrations have made once for each process.

Does not stand in for the migrations, which have tests of their own.
"""

import sqlite3
import tempfile
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from phoneterm_bridge.store.database import open_store


def open_fresh_store(path):
    """Return an engine on a store that was not there."""
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(_empty_store())
    return open_store(path)


def damage_table(path, table):
    """Overwrite the first page of a table in a store that nobody has open."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?"
        ((page, size),) = connection.execute(query, (table,))
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@lru_cache(1)
def _empty_store():
    with tempfile.TemporaryDirectory(prefix="phoneterm-store-") as folder:
        path = Path(folder) / "empty.db"
        open_store(path).dispose()
        assert [file.name for file in path.parent.glob("empty.db-*")] == []  # nothing is in a journal beside it
        return path.read_bytes()
