"""A row of the journal may hold several lines of a command: a view has one row for each. Open commands need no index.

An INTEGER primary key is the key of the table itself in SQLite; a BIGINT one needs a separate index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the view, and rebuild the short table; the journal's rows stay as they are."""
    op.rename_table("open_commands", "old_open_commands")
    op.create_table(
        "open_commands",
        sa.Column("entry", sa.Integer, sa.ForeignKey("commands.entry"), primary_key=True),
    )
    op.execute("INSERT INTO open_commands SELECT entry FROM old_open_commands")
    op.drop_table("old_open_commands")
    op.execute("""
        CREATE VIEW lines AS
        SELECT seq, 0 AS part, entry, at_ms, stage, word, reason, detail FROM journal WHERE stage <> 'lines'
        UNION ALL
        SELECT journal.seq, line.key, journal.entry, json_extract(line.value, '$[4]'),
          json_extract(line.value, '$[0]'), json_extract(line.value, '$[1]'), json_extract(line.value, '$[2]'),
          json_extract(line.value, '$[3]')
        FROM journal, json_each(journal.detail) AS line WHERE journal.stage = 'lines'
    """)
