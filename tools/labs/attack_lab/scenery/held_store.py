"""A store that cannot be written for as long as somebody wants. Does not touch what is in it."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def locking(path: Path | str) -> Iterator[None]:
    """Have another program write to the store, and not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def filling_disk(pid: int) -> Iterator[None]:
    """Let a process write no file any more, as if the disk were full; what it has open can still be read."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
