"""Terminals get the hash of their password that mosquitto reads; those enrolled before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("terminals", sa.Column("mosquitto_hash", sa.String(160)))
