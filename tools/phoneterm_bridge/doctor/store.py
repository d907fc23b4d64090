"""The store: is it there, whole and of this version's schema, may others read it, is the journal's end whole.

Never changes or migrates it. Of the journal only the end is checked, and whether the rights are those that its changes
have given; `phoneterm journal verify` checks all of it.
"""

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.settings_file import is_open_to_others
from phoneterm_bridge.store import journal_chain, reading, tables
from phoneterm_bridge.store.database import find_damage, make_reading_engine
from phoneterm_bridge.store.directory_proof import find_untold
from phoneterm_bridge.store.journal_blotting import is_blotted
from phoneterm_bridge.store.owner import is_file_changed
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.schema import MIGRATIONS, is_empty
from phoneterm_bridge.store.schema_proof import find_schema_difference
from phoneterm_bridge.store.store_file import describe_change

_PART = "store"
_ROWS_CHECKED = 1000

_FILL = "phoneterm user import FILE (or --from voipnow), or phoneterm user add and phoneterm terminal add"


class Place(NamedTuple):
    """One extension of the store: its number, and the dialplan context of its transfers."""

    number: str
    context: str


class Stored(NamedTuple):
    """What the store says about extensions and terminals; nothing when it cannot be read."""

    places: tuple[Place, ...] = ()
    terminals: tuple[TerminalRecord, ...] = ()


def examine_store(path: Path) -> list[Finding]:
    """Check the store without changing it."""
    if is_file_changed(path):
        fix = Change("command line", "stop the bridge, put the right store in its place, start it again")
        return [Finding(PROBLEM, _PART, describe_change(path), fix)]
    if not path.exists():
        fix = Change("command line", _FILL)
        return [Finding(WARNING, _PART, f"There is no store {path} yet; the bridge makes an empty one.", fix)]
    found = []
    if is_open_to_others(path):
        fix = Change("command line", f"chmod 600 {path}")
        found.append(
            Finding(WARNING, _PART, f"The store {path} holds keys, and others, not only its owner, can read it.", fix)
        )
    if path.stat().st_uid != path.parent.stat().st_uid:
        fix = Change("command line", f"chown --reference={path.parent} {path}*")
        sentence = f"The folder's owner does not own the store {path} and cannot write it: no bridge starts."
        found.append(Finding(PROBLEM, _PART, sentence, fix))
    try:
        with closing(open_read_only(path)) as connection:
            return found + _examine_schema(connection, path)
    except sa.exc.DatabaseError as error:
        fix = Change("settings, section [store]", 'path = "..."   # or put a back-up in its place')
        return [*found, Finding(PROBLEM, _PART, f"The store {path} cannot be read: {error.orig}.", fix)]


def read_stored(path: Path) -> Stored:
    """Return the extensions and live terminals of a store, nothing when it cannot be read."""
    if not path.exists():
        return Stored()
    columns = tables.extensions.c
    try:
        with closing(open_read_only(path)) as connection:
            rows = connection.execute(sa.select(columns.number, columns.context).order_by(columns.number))
            places = tuple(Place(*row) for row in rows)
            terminals = reading.read_snapshot(connection.engine).terminals.values()
    except sa.exc.DatabaseError:
        return Stored()
    return Stored(places, tuple(one for one in terminals if not one.is_revoked))


def open_read_only(path: Path) -> sa.Connection:
    """Return a connection that cannot write; closing it leaves nothing behind."""
    return make_reading_engine(path).connect()


def _examine_schema(connection: sa.Connection, path: Path) -> list[Finding]:
    script = ScriptDirectory(str(MIGRATIONS))
    newest, found = script.get_current_head(), MigrationContext.configure(connection).get_current_revision()
    if damage := find_damage(connection):
        fix = Change("command line", "stop the bridge, then phoneterm backup restore FILE")
        return [Finding(PROBLEM, _PART, f"The store {path} is damaged: {damage}.", fix)]
    if found == newest:
        journal = _check_end(connection)
        if journal.verdict == OK and (difference := find_untold(connection) or find_schema_difference(connection)):
            journal = _broken(difference)
        return [Finding(OK, _PART, f"The store {path} has the schema of this version ({newest})."), journal]
    if found is None and is_empty(connection.engine):
        fix = Change("command line", _FILL)
        return [Finding(WARNING, _PART, f"The store {path} is empty; the bridge makes its tables.", fix)]
    if found is None:
        sentence = f"The file {path} is no store of the bridge, so no bridge starts."
        return [Finding(PROBLEM, _PART, sentence, Change("settings, section [store]", 'path = "..."'))]
    if found in {step.revision for step in script.walk_revisions()}:
        sentence = f"The store {path} has the schema {found} of an earlier version; the bridge brings it to {newest}."
        return [
            Finding(
                WARNING,
                _PART,
                sentence,
                Change("command line", "stop the bridge, then phoneterm store upgrade, which keeps a backup"),
            )
        ]
    sentence = f"The store {path} has the schema {found}, which this version does not know (its own is {newest})."
    return [Finding(PROBLEM, _PART, sentence, Change("command line", "update phoneterm to the version that wrote it"))]


def _check_end(connection: sa.Connection) -> Finding:
    """Follow the last rows of the hash chain to the head; the connection sees head and rows of the same moment."""
    head = connection.execute(sa.select(tables.journal_head.c.seq, tables.journal_head.c.hash)).one()
    newest_first = sa.select(tables.journal).order_by(tables.journal.c.seq.desc()).limit(_ROWS_CHECKED + 1)
    rows = list(reversed(connection.execute(newest_first).all()))
    may_be_blotted = connection.execute(sa.select(tables.journal_blotted.c.seq)).scalar_one()
    first, last = (0, journal_chain.FIRST_HASH) if len(rows) <= _ROWS_CHECKED else (rows[0].seq, rows[0].hash)
    for seq, row in enumerate(rows[1:] if first else rows, first + 1):
        last = journal_chain.hash_row(last, seq, row)
        if row.hash != last and seq == row.seq <= may_be_blotted and is_blotted(row):
            last = row.hash
        if (row.seq, row.hash) != (seq, last):
            return _broken(f"entry {seq} is not what was written")
    if (head.seq, head.hash) != ((rows[-1].seq if rows else 0), last):
        return _broken("its head does not fit its last entry")
    return Finding(
        OK, _PART, f"The journal's last {min(len(rows), _ROWS_CHECKED)} entries are whole; all are {head.seq}."
    )


def _broken(how: str) -> Finding:
    fix = Change("command line", "phoneterm journal verify; then find out who can write the store's file")
    return Finding(PROBLEM, _PART, f"The journal was changed from outside: {how}.", fix)
