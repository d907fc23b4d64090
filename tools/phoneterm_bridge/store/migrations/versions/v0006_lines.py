"""A row of the journal may hold several lines of a command: a view has each line by itself."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the view; the rows stay as they are."""
    op.execute("""
        CREATE VIEW lines AS
        SELECT seq, 0 AS part, entry, at_ms, stage, word, reason, detail FROM journal WHERE stage <> 'lines'
        UNION ALL
        SELECT journal.seq, line.key, journal.entry, json_extract(line.value, '$[4]'),
          json_extract(line.value, '$[0]'), json_extract(line.value, '$[1]'), json_extract(line.value, '$[2]'),
          json_extract(line.value, '$[3]')
        FROM journal, json_each(journal.detail) AS line WHERE journal.stage = 'lines'
    """)
