"""The site group that a terminal belongs to; empty for none."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; so far no terminal is in a group."""
    op.add_column("terminals", sa.Column("site_group", sa.String(64), nullable=False, server_default=""))
