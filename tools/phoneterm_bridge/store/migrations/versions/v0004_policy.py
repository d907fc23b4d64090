"""Terminals get prefixes they may and may not transfer to; external transfers can be revoked for the whole site."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody gains or loses anything."""
    op.add_column("permissions", sa.Column("allow_prefixes", sa.Text, nullable=False, server_default=""))
    op.add_column("permissions", sa.Column("deny_prefixes", sa.Text, nullable=False, server_default=""))
    op.add_column("state", sa.Column("external_revoked", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("state", sa.Column("external_since_ms", sa.BigInteger, nullable=False, server_default="0"))
