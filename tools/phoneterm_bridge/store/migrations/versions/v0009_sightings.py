"""The running bridge notes what it last saw of each terminal; dialled numbers of old journal rows can be blotted out.

A row of the journal may lose its detail, and a command its number, only up to the row in `journal_blotted`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let the triggers of the append-only tables permit blotting out alone."""
    op.create_table(
        "sightings",
        sa.Column("tid", sa.String(32), sa.ForeignKey("terminals.tid"), primary_key=True),
        sa.Column("is_online", sa.Boolean, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("boot", sa.String(16), nullable=False),
        sa.Column("firmware", sa.String(16), nullable=False),
        sa.Column("board", sa.String(40), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("rssi_dbm", sa.Integer),
        sa.Column("refusals", sa.Integer),
    )
    op.create_table(
        "journal_blotted",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
    )
    op.execute("INSERT INTO journal_blotted VALUES (1, 0)")
    op.execute("DROP TRIGGER journal_no_update")
    op.execute(
        "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal WHEN NOT (new.seq IS old.seq AND new.entry IS "
        "old.entry AND new.at_ms IS old.at_ms AND new.stage IS old.stage AND new.word IS old.word AND new.reason IS "
        "old.reason AND new.hash IS old.hash AND old.entry IS NOT NULL AND new.seq <= (SELECT seq FROM "
        "journal_blotted)) BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    )
    op.execute("DROP TRIGGER commands_no_update")
    op.execute(
        "CREATE TRIGGER commands_no_update BEFORE UPDATE ON commands WHEN NOT (new.entry IS old.entry AND new.tid IS "
        "old.tid AND new.command_id IS old.command_id AND new.received_ms IS old.received_ms AND new.extension IS "
        "old.extension AND new.op IS old.op AND new.call IS old.call AND new.number = '*' AND EXISTS (SELECT 1 FROM "
        "journal WHERE journal.entry = old.entry AND seq <= (SELECT seq FROM journal_blotted))) "
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    )
