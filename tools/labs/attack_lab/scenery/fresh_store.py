"""A new store for each test or probe: a copy of one that the migrations have made once for each process.

Does not stand in for the migrations, which have tests of their own.
"""

import tempfile
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from phoneterm_bridge.store.database import open_store


def open_fresh_store(path: Path) -> sa.Engine:
    """Return an engine on a store that was not there."""
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(_empty_store())
    return open_store(path)


@lru_cache(1)
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory(prefix="phoneterm-store-") as folder:
        path = Path(folder) / "empty.db"
        open_store(path).dispose()
        assert [file.name for file in path.parent.glob("empty.db-*")] == []  # nothing is in a journal beside it
        return path.read_bytes()
