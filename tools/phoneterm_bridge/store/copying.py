"""Copies a store into a new private file, as it is at one moment, while it may be in use. Does not judge what is in it.

Nothing is ever overwritten. Errors are SetupProblem.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import make_file

BUSY_TIMEOUT_S = 4  # so a command reports a store that stays locked within 5 s, its start included


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Return a connection to an existing database: mode "ro" or "rw"; transactions are begun explicitly."""
    uri = f"file:{quote(str(path))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def connect_as_allowed(path: Path) -> sqlite3.Connection:
    """Return a connection to an existing database, for writing where that is allowed.

    A connection that may write removes the files of the write-ahead log when it is the last to close. One that can only
    read leaves them behind.
    """
    return connect(path, "rw" if os.access(path, os.W_OK) else "ro")


def reserve_file(target: Path) -> None:
    """Make a new empty file to copy into."""
    try:
        make_file(target)
    except FileExistsError:
        raise SetupProblem(f"The file {target} exists already; name a new one.") from None
    except OSError as error:
        raise SetupProblem(f"The file {target} cannot be written: {error.strerror}.") from None


def take_away(target: Path) -> None:
    """Take a copy that is not whole away, with what SQLite has beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)


def copy_database(source: Path, target: Path, sentence: str) -> None:
    """Copy a database as it is at this moment into an empty file, and flush that to the disk.

    `sentence` says what failed, with {} for the source and {} for the reason.
    """
    try:
        with closing(connect_as_allowed(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError) as error:
        raise SetupProblem(sentence.format(source, error)) from None
