"""Which schema a store has, and which one this version knows. Only `bring_up_to_date` changes a store.

A schema is the number of the last migration applied to a store. Errors are SetupProblem.
"""

from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(connection: sa.Connection) -> None:
    """Apply all migrations that a database does not have yet, in the connection's transaction."""
    from phoneterm_bridge.store.migrating import migrate

    migrate(connection, MIGRATIONS)


def read_schema(engine: sa.Engine) -> tuple[str | None, str]:
    """Return the present schema (None: there is none yet), and the newest one that this version knows."""
    with engine.connect() as connection:
        is_there = sa.inspect(connection).has_table("alembic_version")
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if is_there else None
    return found, known_schemas()[-1]


def is_empty(engine: sa.Engine) -> bool:
    """Return whether a database is still empty."""
    with engine.connect() as connection:
        return not sa.inspect(connection).get_table_names()


def refuse_other_schema(engine: sa.Engine, path: Path) -> None:
    """Refuse a store whose schema is not that of this version."""
    found, newest = read_schema(engine)
    refuse_newer_schema(found, path)
    if found != newest:
        raise SetupProblem(
            f"The store {path} has schema {found} of an earlier version, and this version works with {newest}: stop "
            "the bridge, then `phoneterm store upgrade` upgrades it and keeps a backup."
        )


def refuse_newer_schema(found: str | None, path: Path) -> None:
    """Refuse a schema that this version does not know, and a database that is not a store."""
    newest = known_schemas()[-1]
    if found is None:
        raise SetupProblem(f"The file {path} is no store of the bridge; store.path names another.")
    if found not in known_schemas():
        raise SetupProblem(
            f"The store {path} has schema {found}, which is newer than this version knows ({newest}); update "
            "phoneterm, or restore the backup that the upgrade has kept beside it."
        )


def known_schemas() -> list[str]:
    """Return all schemas, the newest last; the name of a migration's file begins with its schema: v0001_first.py."""
    return sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py"))
