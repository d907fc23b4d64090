"""Administrators' requests to terminals are handed to the running bridge."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; numbers are never reused, so a late answer cannot reach another request."""
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
