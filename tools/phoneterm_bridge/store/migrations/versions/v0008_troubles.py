"""The running bridge notes what is wrong with terminals, so that other commands can read it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty: no trouble is known yet."""
    op.create_table(
        "troubles",
        sa.Column("tid", sa.String(32), sa.ForeignKey("terminals.tid"), primary_key=True),
        sa.Column("what", sa.String(16), primary_key=True),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.String(128), nullable=False),
    )
