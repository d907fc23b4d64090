"""Brings a store to the newest schema by the migrations in the package. Does not know what the tables mean.

Alembic is imported here and nowhere else, so that a bridge whose store is up to date does not carry it.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def migrate(connection: sa.Connection, migrations: Path) -> None:
    """Carry out all migrations of the folder that the store has not seen, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
