"""Opens the store: one SQLite file in WAL mode, brought to the newest schema by the migrations in the package.

Does not know what the tables mean. Every commit is on the disk when it returns (synchronous FULL), foreign keys are
enforced, and a writing transaction takes its lock at the start, so that it never fails half way. Errors are
SetupProblem.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.store_lock import share_store

_BUSY_TIMEOUT_S = 5
MIGRATIONS = Path(__file__).parent / "migrations"


def open_store(path: Path) -> sa.Engine:
    """Return an engine on the store at `path`, created or migrated as needed; its lock is held until it is disposed."""
    with _in_one_sentence(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = share_store(path)
        try:
            engine = open_claimed(path)
        except BaseException:
            os.close(lock)
            raise
        sa.event.listen(engine, "engine_disposed", lambda _: os.close(lock), once=True)
        return engine


def open_claimed(path: Path) -> sa.Engine:
    """Return an engine on a store that nobody else can be using, created or migrated as needed."""
    with _in_one_sentence(path):
        path.touch(mode=0o600, exist_ok=True)
        engine = _make_engine(path)
        try:
            _migrate(engine, path)
        except BaseException:
            engine.dispose()
            raise
        return engine


@contextmanager
def _in_one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupProblem(f"The store {path} cannot be opened: {error.strerror}; store.path changes it.") from None
    except sa.exc.DatabaseError as error:
        raise SetupProblem(f"The store {path} cannot be used: {error.orig}; store.path changes it.") from None


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run one writing transaction; it is committed, and on the disk, when the block ends."""
    with engine.connect().execution_options(is_writer=True) as connection, connection.begin():
        yield connection


def driver_of(connection: sa.Connection) -> sqlite3.Connection:
    """Return the driver's own connection beneath one of SQLAlchemy's, in the same transaction."""
    return connection.connection.driver_connection  # type: ignore[return-value]


def _make_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection, _record):
        connection.isolation_level = None  # sqlite3 would otherwise begin transactions when it sees fit
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection):
        is_writer = connection.get_execution_options().get("is_writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def read_schema(engine: sa.Engine) -> tuple[str | None, str]:
    """Return the schema that is there (None: there is none yet), and the newest one that this version knows."""
    with engine.connect() as connection:
        is_there = sa.inspect(connection).has_table("alembic_version")
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if is_there else None
    return found, _known_schemas()[-1]


def _migrate(engine: sa.Engine, path: Path) -> None:
    found, newest = read_schema(engine)
    if found == newest:
        return
    if found is not None and found not in _known_schemas():
        raise SetupProblem(
            f"The store {path} has schema {found}, which is newer than this version knows ({newest}); update phoneterm."
        )
    from phoneterm_bridge.store.migrating import migrate

    with writing(engine) as connection:
        migrate(connection, MIGRATIONS)


def _known_schemas() -> list[str]:
    """Return all schemas, the newest last; the name of a migration's file begins with its own: v0001_first.py."""
    return sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py"))
