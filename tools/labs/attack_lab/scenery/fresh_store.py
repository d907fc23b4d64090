"""A new store for each test or probe: a copy of one that was made and filled once for each process.

Does not stand in for the migrations, which have tests of their own.
"""

import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.records import Enrolment

T = TypeVar("T")


def open_fresh_store(path: Path) -> sa.Engine:
    """Return an engine on a store that was not there."""
    return open_filled_store(path, _fill_nothing)[0]


def open_filled_store(path: Path, fill: Callable[[sa.Engine], T]) -> tuple[sa.Engine, T]:
    """Return an engine on a store that was not there, and what `fill` returned when it filled the first such store."""
    content, filled = _fill_once(fill)
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return open_store(path), filled


def open_store_with_terminal(path: Path) -> tuple[sa.Engine, Enrolment]:
    """Return an engine on a store that was not there, and the terminal phone-101 of the user tech1 in it."""
    return open_filled_store(path, add_terminal)


def add_terminal(engine: sa.Engine) -> Enrolment:
    """Add the user tech1, the extension 101, and the terminal phone-101 to a store."""
    directory = Directory(engine, "test")
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    return directory.add_terminal("phone-101", "101")


def forget_stores() -> None:
    """Make them anew from now on, because something that made them is another now."""
    _fill_once.cache_clear()


@lru_cache(None)
def _fill_once(fill: Callable[[sa.Engine], T]) -> tuple[bytes, T]:
    with tempfile.TemporaryDirectory(prefix="phoneterm-store-") as folder:
        path = Path(folder) / "filled.db"
        if fill is not _fill_nothing:
            path.touch(mode=0o600)
            path.write_bytes(_fill_once(_fill_nothing)[0])
        engine = open_store(path)
        filled = fill(engine)
        engine.dispose()
        return _content_of(path), filled


def _fill_nothing(engine: sa.Engine) -> None:
    """Leave a store empty."""


def _content_of(path: Path) -> bytes:
    assert [file.name for file in path.parent.glob(f"{path.name}-*")] == []  # nothing is in a journal beside it
    return path.read_bytes()
