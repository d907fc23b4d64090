"""Administrators hand requests to terminals over to the running bridge."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; numbers are never used again, so that a late answer cannot meet another request."""
    op.create_table(
        "requests",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("tid", sa.String(32), sa.ForeignKey("terminals.tid"), nullable=False),
        sa.Column("op", sa.String(16), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("asked_ms", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.String(16)),
        sqlite_autoincrement=True,
    )
