"""What a PBX says of users and extensions, and which PBX that is."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; no PBX has said anything yet."""
    op.add_column("state", sa.Column("permission_source", sa.String(16), nullable=False, server_default=""))
    op.add_column("state", sa.Column("source_trouble", sa.Text, nullable=False, server_default=""))
    op.add_column("state", sa.Column("source_trouble_ms", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "pbx_permissions",
        sa.Column("extension", sa.String(32), sa.ForeignKey("extensions.number"), primary_key=True),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("multi_user_aware", sa.Boolean, nullable=False),
        sa.Column("is_expired", sa.Boolean, nullable=False),
        sa.Column("told_ms", sa.BigInteger, nullable=False),
        sa.Column("why_not", sa.Text, nullable=False),
    )
