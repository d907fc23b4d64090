"""The first schema: directory of users, extensions and terminals, and the append-only command journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables of the first schema."""
    _create_directory()
    _create_journal()
    for table in ("commands", "command_events"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
    op.execute("INSERT INTO state (id, revision, config_text, config_revision) VALUES (1, 1, '', 0)")


def _create_directory() -> None:
    op.create_table(
        "state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("config_text", sa.Text, nullable=False),
        sa.Column("config_revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("multi_user_aware", sa.Boolean, nullable=False),
    )
    op.create_table(
        "extensions",
        sa.Column("number", sa.String(32), primary_key=True),
        sa.Column("endpoint", sa.String(64), nullable=False),
        sa.Column("context", sa.String(64), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("user", sa.String(64), sa.ForeignKey("users.name"), nullable=False),
    )
    op.create_table(
        "terminals",
        sa.Column("tid", sa.String(32), primary_key=True),
        sa.Column("extension", sa.String(32), sa.ForeignKey("extensions.number"), nullable=False),
        sa.Column("password_hash", sa.String(128), nullable=False),
        sa.Column("mac_key", sa.LargeBinary, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.Column("added_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "permissions",
        sa.Column("tid", sa.String(32), sa.ForeignKey("terminals.tid"), primary_key=True),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("attended", sa.Boolean, nullable=False),
        sa.Column("classes", sa.Text, nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("change", sa.Text, nullable=False),
    )


def _create_journal() -> None:
    op.create_table(
        "commands",
        sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tid", sa.String(32), nullable=False),
        sa.Column("command_id", sa.String(32)),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("extension", sa.String(32), nullable=False),
        sa.Column("op", sa.String(16)),
        sa.Column("number", sa.String(32)),
        sa.Column("call", sa.String(64)),
        sa.UniqueConstraint("tid", "command_id"),
    )
    op.create_table(
        "command_events",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("entry", sa.BigInteger, sa.ForeignKey("commands.entry"), nullable=False, index=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32)),
    )
    op.create_table(
        "open_commands",
        sa.Column("entry", sa.BigInteger, sa.ForeignKey("commands.entry"), primary_key=True),
    )
