"""Why the store cannot be read or written at present, in one sentence with the remedy. Opens nothing and tries nothing.

An error of this kind concerns the whole store: a full disk, a file system that is read-only, another program's lock, a
damaged file. What is wrong with a single write (a constraint, a value that cannot be stored) is none.
"""

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.store.copying import BUSY_TIMEOUT_S

_PRIMARY = 0xFF  # the low byte of SQLite's extended codes


def is_store_trouble(error: object) -> bool:
    """Say whether the store as a whole cannot be used, whatever was read or written."""
    cause = _driver_error(error)
    return isinstance(cause, sqlite3.OperationalError) or type(cause) is sqlite3.DatabaseError


def describe_store_trouble(error: BaseException, path: Path | str) -> str:
    """Return the sentence about an error of SQLite, or of SQLAlchemy on top of it."""
    cause, path = _driver_error(error), Path(path)
    code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY
    if code == sqlite3.SQLITE_BUSY or "locked" in str(cause):
        return (
            f"The store {path} is locked: another program has been writing to it for {BUSY_TIMEOUT_S} s; try again, "
            f"and if it stays so, find that program (fuser {path})."
        )
    if code == sqlite3.SQLITE_FULL:
        return (
            f"There is no room for the store {path}: {cause}; make room there (df {path.parent}), or move it "
            "(store.path)."
        )
    if code == sqlite3.SQLITE_READONLY:
        return (
            f"The store {path} cannot be written: {cause}{_describe_owner(path)}; file, folder and file system must be "
            "writable for the bridge's user (store.path names another place)."
        )
    if code == sqlite3.SQLITE_IOERR:
        return (
            f"The disk does not do what the store {path} needs: {cause}; look for its errors and for a limit that is "
            "reached (dmesg, df, quota)."
        )
    return f"The store {path} cannot be used: {cause}{_describe_owner(path)}; store.path changes it."


def describe_for(engine: sa.Engine, error: BaseException) -> str:
    """Return why something could not be done with the store of an engine; other errors by their name."""
    is_of_store = isinstance(_driver_error(error), sqlite3.Error)
    return describe_store_trouble(error, engine.url.database or "") if is_of_store else type(error).__name__


def _driver_error(error: object) -> object:
    """Return the driver's error beneath SQLAlchemy's."""
    return error.orig if isinstance(error, sa.exc.DBAPIError) else error


def _describe_owner(path: Path) -> str:
    """Return a hint if the store and its folder have different owners: the store's permissions are wrong then."""
    try:
        if path.stat().st_uid == path.parent.stat().st_uid:
            return ""
    except OSError:
        return ""
    return f" (its owner is not that of its folder: chown --reference={path.parent} {path}*)"
