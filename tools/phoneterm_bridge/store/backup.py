"""Backs the store up while it is in use, and replaces the store with a backup. Prints nothing.

A backup is one SQLite file, as of one moment, with all users, terminals and their keys, and the journal. Whoever has
it can speak for every terminal, so it is private (0600). It is proved, with its journal's chain, before it counts.
Nothing is ever overwritten: a backup needs a new file, and a restore keeps the old store beside the new one. A revoked
terminal stays revoked, one that was removed since comes back revoked, and terminals accept what the restored store
says.
Errors are SetupProblem.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.copying import connect, copy_database, reserve_file, take_away
from phoneterm_bridge.store.database import make_engine, writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import Head, prove
from phoneterm_bridge.store.private_files import give_to_owner
from phoneterm_bridge.store.reading import read_snapshot
from phoneterm_bridge.store.removed import read_removals
from phoneterm_bridge.store.schema import bring_up_to_date, read_schema, refuse_newer_schema
from phoneterm_bridge.store.store_lock import claim_store, share_store

# How far a restored store raises its own revisions when those of the old store cannot be read.
_LEAP = 100_000


class _Before(NamedTuple):
    """What must outlive the store in use: the revisions that terminals may know, who was revoked and who removed."""

    revision: int
    config_revision: int
    revoked: frozenset[str] = frozenset()
    removals: frozenset[tuple[str, int]] = frozenset()


class Restored(NamedTuple):
    """The head of the restored journal, and where the previous store is, if there was one."""

    head: Head
    kept: Path | None


def create_backup(store: Path, target: Path) -> Head | None:
    """Write a new backup of the store; return the head of its journal (None: not proved, as its schema is older)."""
    if not store.is_file():
        raise SetupProblem(f"There is no store {store} to back up; store.path names another.")
    lock = share_store(store)
    try:
        reserve_file(target)
        try:
            copy_database(store, target, "The store {} cannot be backed up: {}.")
            return _prove_backup(target, store)
        except BaseException:
            target.unlink()
            raise
    finally:
        os.close(lock)


def restore_backup(backup: Path, store: Path, actor: str, place: str) -> Restored:
    """Replace the store with a backup, and keep the old one beside it; nobody may be using the store."""
    if not backup.is_file():
        raise SetupProblem(f"There is no file {backup}.")
    if not store.parent.is_dir():
        raise SetupProblem(f"There is no folder {store.parent} for the store; store.path names another.")
    with claim_store(store), _made_beside(store) as new:
        copy_database(backup, new, "The file {} is not a backup: {}.")
        head = _prepare(new, backup, _read_before(store), actor, place)
        return Restored(head, _replace(store, new))


def _prove_backup(path: Path, store: Path) -> Head | None:
    """Prove a backup without changing it."""
    engine = sa.create_engine("sqlite://", creator=lambda: connect(path, "ro"), poolclass=sa.pool.NullPool)
    found, newest = read_schema(engine)
    refuse_newer_schema(found, store)
    return _prove(engine, path) if found == newest else None


def _prove(engine: sa.Engine, path: Path) -> Head:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    if found != "ok":
        raise SetupProblem(f"The file {path} is damaged: {found}.")
    proof = prove(engine)
    if proof.problem is not None:
        raise SetupProblem(f"The journal in {path} is broken{proof.describe_problem()}.")
    return proof.head


@contextmanager
def _made_beside(store: Path) -> Iterator[Path]:
    """Yield an empty private file beside the store; it is removed afterwards unless it has become the store."""
    new = Path(f"{store}.new")
    take_away(new)  # from a restore that was interrupted; nobody else is at work here
    reserve_file(new)
    try:
        yield new
    finally:
        take_away(new)


def _prepare(new: Path, backup: Path, before: _Before | None, actor: str, place: str) -> Head:
    """Upgrade a copy of the backup to today's schema, prove it, and note in it that it was restored."""
    probe = sa.create_engine("sqlite://", creator=lambda: connect(new, "ro"), poolclass=sa.pool.NullPool)
    found = read_schema(probe)[0]
    if found is None:
        raise SetupProblem(f"The file {backup} is not a backup: there is no store in it.")
    refuse_newer_schema(found, backup)
    engine = make_engine(new)
    try:
        with writing(engine) as connection:  # not a store in use yet
            bring_up_to_date(connection)
        head = _prove(engine, backup)
        if before is None:
            with engine.connect() as connection:
                before = _Before(*(own + _LEAP for own in connection.exec_driver_sql(_REVISIONS).one()))
        directory = Directory(engine, actor, place)
        directory.note_restore(*before[:2], f"restored from a backup with {head.seq} journal entries")
        with closing(connect(new, "ro")) as connection:
            removed = {tid for tid, _ in before.removals - read_removals(connection)}
        for tid, record in read_snapshot(engine).terminals.items():
            if tid in before.revoked | removed and not record.is_revoked:
                directory.revoke_terminal(tid)
        return _prove(engine, backup)
    finally:
        engine.dispose()


_REVISIONS = "SELECT revision, config_revision FROM state"


def _read_before(store: Path) -> _Before | None:
    """Read what must outlive the store in use, and merge its log into its file; None when it cannot be read."""
    if not store.exists():
        return None
    try:
        with closing(connect(store, "rw")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            revoked = connection.execute("SELECT tid FROM terminals WHERE revoked").fetchall()
            revision, config_revision = connection.execute(_REVISIONS).fetchone()
            who = frozenset(tid for (tid,) in revoked)
            return _Before(revision, config_revision, who, frozenset(read_removals(connection)))
    except (sqlite3.Error, TypeError):  # damaged, or empty
        return None


def _replace(store: Path, new: Path) -> Path | None:
    """Put `new` in the place of the store, in one step, after the store has been given a second name."""
    give_to_owner(new, store.parent)
    kept = None
    if store.exists():
        kept = Path(f"{store}.before-{time.strftime('%Y%m%d-%H%M%S')}")
        for suffix in ("-wal", "-shm"):
            if Path(f"{store}{suffix}").exists():
                os.rename(f"{store}{suffix}", f"{kept}{suffix}")
        try:
            os.link(store, kept)
        except OSError:  # not every file system supports links
            shutil.copy2(store, kept)
            give_to_owner(kept, store.parent)
    os.replace(new, store)
    folder = os.open(store.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return kept
