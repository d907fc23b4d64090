"""Commands lose their two indexes, whose pages were half of what a command wrote; one becomes a table, filled at times.

A command's number is the key of the table itself. A repeated command is recognised by its session, not by an index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rebuild the table of commands with all its rows, and the index of all of them."""
    op.execute("PRAGMA defer_foreign_keys = ON")  # until the rows are back
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM commands")
    op.drop_table("commands")
    op.create_table(
        "commands",
        sa.Column("entry", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tid", sa.String(32), nullable=False),
        sa.Column("command_id", sa.String(32)),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("extension", sa.String(32), nullable=False),
        sa.Column("op", sa.String(16)),
        sa.Column("number", sa.String(32)),
        sa.Column("call", sa.String(64)),
    )
    op.execute("INSERT INTO commands SELECT * FROM kept ORDER BY entry")
    op.execute("DROP TABLE kept")
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER commands_no_{verb.lower()} BEFORE {verb} ON commands "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
    op.create_table(
        "commands_by_extension",
        sa.Column("extension", sa.String(32), primary_key=True),
        sa.Column("received_ms", sa.BigInteger, primary_key=True),
        sa.Column("entry", sa.BigInteger, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commands_indexed",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("entry", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO commands_by_extension SELECT extension, received_ms, entry FROM commands ORDER BY 1, 2, 3")
    op.execute("INSERT INTO commands_indexed SELECT 1, coalesce(max(entry), 0) FROM commands")
