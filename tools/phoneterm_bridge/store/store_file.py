"""Watches that the store's file, its log and the log's index are still those that the bridge has open. Opens nothing.

A file that was replaced or removed still takes what is written to it, but nobody ever sees that again, and a right that
was taken away in the new file has no effect. Without a common index (`-shm`) of the write-ahead log (`-wal`), programs
do not see what others write to it, and spoil it. So the bridge begins nothing from then on, until it is started again:
its connections may have come to different files by then.
"""

import os
from collections.abc import Callable
from pathlib import Path

import structlog

_SUFFIXES = ("", "-wal", "-shm")
# Device and inode of the store, of its log and of the log's index, None for one that is not there.
Files = tuple[tuple[int, int] | None, ...]


class StoreChanged(Exception):
    """The store's file is another one than the bridge has open."""


class StoreFile:
    """The file of a running bridge's store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = _names_of(path)
        self._files: Files | None = None
        self.problem: str | None = None

    @property
    def files(self) -> Files | None:
        """The files that the bridge has open."""
        return self._files

    def begin(self) -> None:
        """Take the files that are there as those that are open; the store has been written to already."""
        self._files = _find_all(self._names)

    def look(self) -> str | None:
        """Return in one sentence that a file is another one by now; once it is, this does not end."""
        if self.problem is None and self._files is not None and _find_all(self._names) != self._files:
            self.problem = describe_change(self._path)
            structlog.get_logger().error("store-file-changed", why=self.problem)
        return self.problem

    def require(self) -> None:
        """Raise StoreChanged when a file is another one by now."""
        if self.look() is not None:
            raise StoreChanged


def find_files(path: Path) -> Files:
    """Return which files a store has now."""
    return _find_all(_names_of(path))


def _names_of(path: Path) -> list[str]:
    return [f"{path}{suffix}" for suffix in _SUFFIXES]


def _find_all(names: list[str]) -> Files:
    return tuple([_find(name) for name in names])


def describe_change(path: Path) -> str:
    """Return the sentence about a store whose file is another one than the bridge has open."""
    return (
        f"The file of the store {path} (or its -wal or -shm) was replaced or removed under the running bridge, so no "
        "transfer begins: stop the bridge, put the right store in its place, and start it again."
    )


def _find(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino


Require = Callable[[], None]


def require_nothing() -> None:
    """Stand for the check of a store whose file nobody watches."""
