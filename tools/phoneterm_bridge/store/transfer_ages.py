"""How long ago transfers were asked of the PBX, as far as a limit still needs it. Counts and limits nothing.

The journal's order is always right; its times are those of a wall clock, which may have been ahead until somebody put
it right. So an entry is at least as old as every later one. While the clock was ahead its differences were right: all
entries of such a time are moved back together, until the last of them is as old as the entry after it, or is from just
now if there is none. No age is negative.
"""

from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.directory_proof import SITE
from phoneterm_bridge.store.journal_reading import ENTRY_BITS


class Transfer(NamedTuple):
    """One transfer that was asked of the PBX. is_marked: its checks have left the mark that was asked for."""

    age_ms: int
    op: str
    number: str
    is_marked: bool = False


def read_transfers(engine: sa.Engine, now_ms: int, window_ms: int, mark: str = "") -> list[Transfer]:
    """Return the transfers within a time that ends now, since external ones were last revoked or restored.

    mark: a text that the detail of their checks may contain; "" for none.
    """
    commands, lines, journal = tables.commands.c, tables.lines.c, tables.journal.c
    checks = tables.lines.alias().c
    has_mark = sa.exists().where(
        checks.entry == lines.entry, checks.stage == "check", checks.detail.contains(mark, autoescape=True)
    )
    wide = tables.commands.join(tables.lines, lines.entry == commands.entry)
    query = sa.select(
        lines.seq, lines.at_ms, commands.op, commands.number, has_mark if mark else sa.false()
    ).select_from(wide)
    query = query.where(lines.entry >= (now_ms - window_ms) << ENTRY_BITS, lines.stage == "action")
    of_site = sa.func.json_extract(journal.detail, "$.subject") == SITE
    last_change = sa.select(sa.func.max(journal.seq)).where(journal.stage == sa.literal_column("'change'"), of_site)
    with engine.connect() as connection:
        since_seq = connection.execute(last_change).scalar() or 0
        rows = connection.execute(query.where(commands.number.is_not(None))).all()
        rows = sorted(row for row in rows if row.seq > since_seq)
        ahead = [row.seq for row in rows if row.at_ms > now_ms]
        right_ms = _put_right(connection, ahead[0], ahead[-1], now_ms) if ahead else {}
    found: list[Transfer] = []
    until_ms = now_ms
    for seq, at_ms, op, number, is_marked in reversed(rows):
        until_ms = min(right_ms.get(seq, at_ms), until_ms)
        if now_ms - until_ms < window_ms:
            found.append(Transfer(now_ms - until_ms, op, number, bool(is_marked)))
    return found


def _put_right(connection: sa.Connection, first_seq: int, last_seq: int, now_ms: int) -> dict[int, int]:
    """Return the true times, as far as known, of the rows whose time has not come yet, by number."""
    columns = tables.journal.c
    query = sa.select(columns.seq, columns.at_ms).where(columns.seq >= first_seq).order_by(columns.seq)
    right_ms: dict[int, int] = {}
    together: list[tuple[int, int]] = []
    for seq, at_ms in connection.execute(query):
        if at_ms > now_ms:
            together.append((seq, at_ms))
            continue
        right_ms |= _move_back(together, at_ms)
        together.clear()
        if seq > last_seq:
            break
    return right_ms | _move_back(together, now_ms)


def _move_back(rows: list[tuple[int, int]], until_ms: int) -> dict[int, int]:
    """Return the times, by number, of rows that were written together, the last of them at a time."""
    return {seq: at_ms - rows[-1][1] + until_ms for seq, at_ms in rows}
