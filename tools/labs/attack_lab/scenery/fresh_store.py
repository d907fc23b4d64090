"""A new store for each test or probe: a copy of one that was made once for each process.

Does not stand in for the migrations, which have tests of their own.
"""

import tempfile
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.records import Enrolment


def open_fresh_store(path: Path) -> sa.Engine:
    """Return an engine on a store that was not there."""
    return _open_copy(path, _empty_store())


def open_store_with_terminal(path: Path) -> tuple[sa.Engine, Enrolment]:
    """Return an engine on a store that was not there, and the terminal phone-101 of the user tech1 in it."""
    content, enrolment = _store_with_terminal()
    return _open_copy(path, content), enrolment


def forget_stores() -> None:
    """Make them anew from now on, because something that made them is another now."""
    _empty_store.cache_clear()
    _store_with_terminal.cache_clear()


def _open_copy(path: Path, content: bytes) -> sa.Engine:
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return open_store(path)


@lru_cache(1)
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory(prefix="phoneterm-store-") as folder:
        path = Path(folder) / "empty.db"
        open_store(path).dispose()
        return _content_of(path)


@lru_cache(1)
def _store_with_terminal() -> tuple[bytes, Enrolment]:
    with tempfile.TemporaryDirectory(prefix="phoneterm-store-") as folder:
        path = Path(folder) / "one.db"
        engine = open_fresh_store(path)
        directory = Directory(engine, "test")
        directory.add_user("tech1", True)
        directory.add_extension("101", "tech1")
        enrolment = directory.add_terminal("phone-101", "101")
        engine.dispose()
        return _content_of(path), enrolment


def _content_of(path: Path) -> bytes:
    assert [file.name for file in path.parent.glob(f"{path.name}-*")] == []  # nothing is in a journal beside it
    return path.read_bytes()
