"""Problems of PBX and network in the journal of the last days: results that no user can repair. Does not judge users.

Only reads the store. A time is that of the command's reception, in local time.
"""

from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.doctor.finding import OK, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_dial_options import DIAL_FIX
from phoneterm_bridge.doctor.pbx_features import MAP_FIX
from phoneterm_bridge.doctor.store import open_read_only
from phoneterm_bridge.store import tables, wall_clock
from phoneterm_bridge.store.journal_reading import ENTRY_BITS
from phoneterm_bridge.wording.times import say_minute

_PART = "history"
DAYS = 7
_HEARD = ("ringing", "consulting", "returned")  # reasons that the bridge knows only from the PBX's events about calls
_TELLING = {
    "not-permitted-by-pbx": ("the PBX did not let the phone transfer (T or t missing)", DIAL_FIX),
    "pbx-misconfigured": ("the PBX has no feature code", MAP_FIX),
    "pbx-unreachable": ("the bridge could not reach the PBX", Change("settings, section [pbx]", "host and port")),
    "bad-signature": (
        "the message was signed with another key than the terminal's",
        Change("command line", "make rotate, with the board at a cable; or phoneterm terminal rotate TID"),
    ),
}


def examine_history(path: Path) -> list[Finding]:
    """Name every telling reason of the last days; nothing without a store that can be read."""
    try:
        counted, commands = _count(path)
    except (sa.exc.DatabaseError, OSError):
        return []  # the store's own findings say why
    found = []
    for reason, count, entry, extension in counted:
        words, fix = _TELLING[reason]
        times = "once" if count == 1 else f"{count} times"
        last = f"the last one: {extension}, {say_minute(entry >> ENTRY_BITS)}"
        sentence = f"In the last {DAYS} days a transfer failed {times} because {words}; {last}."
        found.append(Finding(WARNING, _PART, sentence, fix))
    right = f"No transfer of the last {DAYS} days ({commands} commands) failed because of PBX or keys."
    return found or [Finding(OK, _PART, right)]


def has_heard_calls(path: Path) -> bool:
    """Say whether events about calls have reached the bridge in the last days."""
    columns = tables.lines.c
    query = sa.select(columns.seq).where(columns.entry >= _first_entry(), columns.stage == "event")
    try:
        with closing(open_read_only(path)) as connection:
            return connection.execute(query.where(columns.word.in_(_HEARD)).limit(1)).first() is not None
    except (sa.exc.DatabaseError, OSError):
        return False


def _count(path: Path) -> tuple[list[tuple[str, int, int, str]], int]:
    """Return (reason, count, last entry, its extension) for each, and the number of commands."""
    lines, commands = tables.lines.c, tables.commands.c
    wide = tables.lines.join(tables.commands, commands.entry == lines.entry)
    last = sa.func.max(lines.entry)  # SQLite takes the other columns from the row with the maximum
    query = sa.select(lines.reason, sa.func.count(), last, commands.extension).select_from(wide)
    query = query.where(lines.entry >= _first_entry(), lines.stage == "result", lines.reason.in_(_TELLING))
    with closing(open_read_only(path)) as connection:
        rows = [tuple(row) for row in connection.execute(query.group_by(lines.reason).order_by(lines.reason))]
        total = sa.select(sa.func.count()).where(commands.entry >= _first_entry())
        return rows, connection.execute(total).scalar_one()


def _first_entry() -> int:
    return (wall_clock.now_ms() - DAYS * 86_400_000) << ENTRY_BITS
