"""Upgrades a store of an earlier version to the schema of this one, after a backup that is kept beside it.

Does nothing to a store that has the schema already. The caller must be the only bridge of the store (`owner`); all
others are kept out meanwhile. The backup is the store immediately before the migration, which is one transaction: if
anything goes wrong, the store is unchanged. Errors are SetupProblem.
"""

import itertools
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.copying import connect, copy_database, reserve_file, take_away
from phoneterm_bridge.store.database import make_engine, make_reading_engine, opening, require_store, writing
from phoneterm_bridge.store.schema import bring_up_to_date, is_empty, read_schema, refuse_newer_schema
from phoneterm_bridge.store.store_lock import claim_store

_PATIENCE_S = 4  # how long to wait until other commands have released the store


class Upgraded(NamedTuple):
    """The schema before and now, and where the backup is."""

    before: str
    now: str
    backup: Path


def upgrade_store(path: Path) -> Upgraded | None:
    """Upgrade a store to the schema of this version; None when it has that already, or is empty."""
    require_store(path)
    with opening(path):
        probe = make_reading_engine(path)
        found, newest = read_schema(probe)
        if found == newest or is_empty(probe):
            return None
        refuse_newer_schema(found, path)
        with claim_store(path, _PATIENCE_S):
            return Upgraded(str(found), newest, _upgrade(path, str(found)))


def _upgrade(path: Path, found: str) -> Path:
    """Back the store up and migrate it, with no change by others in between; return where the backup is."""
    new, backup = Path(f"{path}.upgrading"), _free_name(f"{path}.schema-{found}-{time.strftime('%Y%m%d-%H%M%S')}")
    take_away(new)  # from an upgrade that was interrupted; nobody else is at work here
    reserve_file(new)
    engine = make_engine(path)
    try:
        with writing(engine) as connection:
            copy_database(path, new, "The store {} is not upgraded, because it cannot be backed up: {}.")
            _check_backup(new, found)
            new.rename(backup)  # so that what has the name of a backup is whole
            _keep_name(backup)
            bring_up_to_date(connection)
    except BaseException:
        take_away(new)
        backup.unlink(missing_ok=True)
        raise
    finally:
        engine.dispose()
    return backup


def _free_name(name: str) -> Path:
    """Return a name that no backup has: one of an upgrade that was cut off may be of this second."""
    names = (Path(f"{name}-{number}" if number else name) for number in itertools.count())
    return next(path for path in names if not path.exists())


def _check_backup(backup: Path, schema: str) -> None:
    """Refuse a backup that is damaged: there would be no way back."""
    try:
        with closing(connect(backup, "ro")) as connection:
            ((state,),) = connection.execute("PRAGMA integrity_check(1)")
            ((found,),) = connection.execute("SELECT version_num FROM alembic_version")
    except sqlite3.Error as error:
        state, found = str(error), schema
    if (state, found) != ("ok", schema):
        raise SetupProblem(f"The store is not upgraded, because its backup {backup} is damaged: {state}.")


def _keep_name(backup: Path) -> None:
    """Flush the backup's name to the disk."""
    folder = os.open(backup.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
