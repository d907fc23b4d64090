"""Brings a store to the newest schema by the migrations in the package. Does not know what the tables mean.

Alembic is imported only here, so a bridge whose store is up to date does not load it.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def migrate(connection: sa.Connection, migrations: Path) -> None:
    """Apply all migrations in the folder that the store does not have yet, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
