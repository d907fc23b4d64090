"""Opens the store: one SQLite file in WAL mode, of the schema that this version knows. Does not know what tables mean.

A missing store is made; one with another schema is refused, and only `upgrading` changes a schema. Every commit is on
the disk when it returns (synchronous FULL), foreign keys are enforced, and a writing transaction takes its lock at the
start, so that it never fails half way. Errors are SetupProblem.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.copying import BUSY_TIMEOUT_S, connect_as_allowed
from phoneterm_bridge.store.private_files import make_file, make_folder, make_private
from phoneterm_bridge.store.schema import bring_up_to_date, is_empty, refuse_other_schema
from phoneterm_bridge.store.store_lock import share_store
from phoneterm_bridge.store.store_trouble import describe_store_trouble

# Ctrl-C may come while a connection goes back: a bridge logs what the pool says of that, a command has no log for it.
logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())


def open_store(path: Path) -> sa.Engine:
    """Return an engine on the store at `path`, made if there is none; it holds the lock until it is disposed."""
    with opening(path):
        make_folder(path.parent)
        return _with_lock(path, open_claimed)


def open_to_read(path: Path) -> sa.Engine:
    """Return an engine that cannot change the store, which must exist; it holds the lock until it is disposed."""
    require_store(path)
    with opening(path):
        return _with_lock(path, _open_read_only)


def open_claimed(path: Path) -> sa.Engine:
    """Return an engine on a store whose lock the caller holds, made if there is none."""
    with opening(path):
        with suppress(FileExistsError):
            make_file(path)
        probe = make_reading_engine(path)  # a store that is refused is not changed in any way
        is_new = is_empty(probe)
        if not is_new:
            refuse_other_schema(probe, path)
        if is_new:
            make_private(path)  # somebody else may have made the empty file
        engine = make_engine(path)
        try:
            if is_new:
                with writing(engine) as connection:  # somebody else may have been first, then nothing is left to do
                    bring_up_to_date(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine


def require_store(path: Path) -> None:
    """Refuse a store that does not exist."""
    if not path.is_file():
        raise SetupProblem(
            f"There is no store {path} yet: `phoneterm user add` or `phoneterm user import` makes it; store.path names "
            "another."
        )


def refuse_empty(engine: sa.Engine, path: Path) -> None:
    """Refuse a store in which there is nothing yet."""
    if is_empty(engine):
        raise SetupProblem(
            f"The store {path} is empty yet: `phoneterm user add` or `phoneterm user import` fills it; store.path "
            "names another."
        )


def refuse_damaged(engine: sa.Engine, path: Path) -> None:
    """Refuse a store whose file is damaged."""
    with engine.connect() as connection:
        if damage := find_damage(connection):
            raise SetupProblem(
                f"The store {path} is damaged ({damage}); `phoneterm backup restore FILE` puts a backup in its place."
            )


def find_damage(connection: sa.Connection) -> str | None:
    """Return what is wrong with the store's pages; None when they are whole. Takes a second for 100 MB."""
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return None if found == "ok" else " ".join(found.split())


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Say in one sentence why the store cannot be opened."""
    try:
        with using(path):
            yield
    except OSError as error:
        raise SetupProblem(f"The store {path} cannot be opened: {error.strerror}; store.path changes it.") from None


@contextmanager
def using(path: Path) -> Iterator[None]:
    """Say in one sentence why a store that is open cannot be read or written: locked, damaged, the disk full, ..."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        raise SetupProblem(describe_store_trouble(error, path)) from None
    except sqlite3.DatabaseError as error:  # from statements that go directly to the driver
        raise SetupProblem(describe_store_trouble(error, path)) from None


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run one writing transaction; when the block ends, it is committed and on the disk."""
    with engine.connect().execution_options(is_writer=True) as connection, connection.begin():
        yield connection


def driver_of(connection: sa.Connection) -> sqlite3.Connection:
    """Return the driver's own connection beneath SQLAlchemy's, in the same transaction."""
    return connection.connection.driver_connection  # type: ignore[return-value]


def make_engine(path: Path) -> sa.Engine:
    """Return an engine on a store of any schema, whose lock the caller holds."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection, _record):
        connection.isolation_level = None  # otherwise sqlite3 would begin transactions by itself
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection):
        is_writer = connection.get_execution_options().get("is_writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def make_reading_engine(path: Path) -> sa.Engine:
    """Return an engine that cannot change a database of any schema; it keeps no connection open."""
    engine = sa.create_engine("sqlite://", creator=lambda: connect_as_allowed(path), poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def forbid_writing(connection, _record):
        connection.execute("PRAGMA query_only = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN")

    return engine


def _with_lock(path: Path, opened: Callable[[Path], sa.Engine]) -> sa.Engine:
    """Return an engine that shares the store's lock until it is disposed."""
    lock = share_store(path)
    try:
        engine = opened(path)
    except BaseException:
        os.close(lock)
        raise
    sa.event.listen(engine, "engine_disposed", lambda _: os.close(lock), once=True)
    return engine


def _open_read_only(path: Path) -> sa.Engine:
    engine = make_reading_engine(path)
    refuse_empty(engine, path)
    refuse_other_schema(engine, path)
    return engine
