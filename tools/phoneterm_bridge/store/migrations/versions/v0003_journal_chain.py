"""The command timelines and the changes of the directory become one hash-chained journal.

The content of the first schema is taken over in the order it happened; from then on no change can go unnoticed.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from phoneterm_bridge.store.journal_chain import FIRST_HASH, Row, command_values, detail_of, hash_row

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1000


def upgrade() -> None:
    """Make the journal, take over the present content, and drop the tables that it replaces."""
    journal = op.create_table(
        "journal",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.BigInteger, sa.ForeignKey("commands.entry"), index=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("detail", sa.Text),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    head = op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_journal_changes", "journal", ["at_ms"], sqlite_where=sa.text("stage = 'change'"))
    op.create_index("ix_commands_extension", "commands", ["extension", "received_ms"])
    seq, last = _take_over(op.get_bind(), journal)
    op.bulk_insert(head, [{"id": 1, "seq": seq, "hash": last}])
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
    op.drop_table("command_events")
    op.drop_table("changes")


def _take_over(connection: sa.Connection, journal: sa.Table) -> tuple[int, bytes]:
    """Write everything so far as one chain; return the last row's seq and hash."""
    seq, last, rows = 0, FIRST_HASH, []
    for row in _read_old(connection):
        seq += 1
        last = hash_row(last, seq, Row(**row))
        rows.append(row | {"seq": seq, "hash": last})
        if len(rows) == _ROWS_AT_ONCE:
            connection.execute(journal.insert(), rows)
            rows = []
    if rows:
        connection.execute(journal.insert(), rows)
    return seq, last


def _read_old(connection: sa.Connection) -> Iterator[dict]:
    """Yield the rows of the first schema in the order they happened: receptions, events and changes."""
    query = """
        SELECT received_ms AS at_ms, 1 AS kind, entry AS place, entry FROM commands
        UNION ALL SELECT at_ms, 2, seq, entry FROM command_events
        UNION ALL SELECT at_ms, 0, revision, NULL FROM changes
        ORDER BY at_ms, kind, place
    """
    for at_ms, kind, place, entry in connection.execute(sa.text(query)).all():
        row = {"entry": entry, "at_ms": at_ms, "reason": None, "detail": None}
        yield row | (_read_change, _read_command, _read_event)[kind](connection, place)


def _read_change(connection: sa.Connection, revision_number: int) -> dict:
    found = connection.execute(sa.text("SELECT * FROM changes WHERE revision = :at"), {"at": revision_number}).one()
    detail = {"revision": found.revision, "who": found.actor, "where": "", "what": found.change}
    return {"stage": "change", "word": "directory", "detail": detail_of(detail | {"subject": found.subject})}


def _read_command(connection: sa.Connection, entry: int) -> dict:
    found = connection.execute(sa.text("SELECT * FROM commands WHERE entry = :at"), {"at": entry}).one()
    return {"stage": "received", "word": "command", "detail": detail_of(command_values(found))}


def _read_event(connection: sa.Connection, seq: int) -> dict:
    found = connection.execute(sa.text("SELECT * FROM command_events WHERE seq = :at"), {"at": seq}).one()
    return {"stage": found.stage, "word": found.word, "reason": found.reason}
