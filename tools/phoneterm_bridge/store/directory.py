"""Users, extensions, terminals and permissions in the store: reads them, and writes each change as one transaction.

Does not tell terminals anything: the bridge does when it sees the new revision. Each change raises the directory's
revision by one and leaves a line in the journal (who, what, when, from where, and which columns it has set: from these
alone `directory_proof` derives the directory again). A change that cannot be made is a SetupProblem.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from phoneterm.core.operations import FLAGS

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names, tables, wall_clock
from phoneterm_bridge.store.database import driver_of, writing
from phoneterm_bridge.store.directory_proof import (
    EXTENSION,
    GROUP,
    PBX_PERMISSION,
    SITE,
    TERMINAL,
    USER,
    Setting,
    group_columns,
    hash_secrets,
    needs_whole,
    read_all,
)
from phoneterm_bridge.store.enrolling import Prepared, prepare_terminal
from phoneterm_bridge.store.journal_chain import Row, add_rows, detail_of
from phoneterm_bridge.store.records import DEFAULT_CLASSES, TERMINAL_TYPE, Enrolment
from phoneterm_bridge.store.removed import REMOVED

SETTINGS = "settings"  # the subject of changes that were made in the settings file
CUT_OFF = "slowed down or cut off: "  # the beginning of a line about a terminal's connection; it changes nothing either
REQUESTED = "told to "  # the beginning of a request's line; a request changes nobody's permissions
GROUPED = "site group "  # nor does a site group
ACCOUNT_LINE, TOKEN_LINE = "account of the console ", "token of the console "  # a person's name may be a user's, too


class Directory:
    """The writing side of the directory, on behalf of one actor ("cli:anna", "bridge") at one place ("host pc7")."""

    def __init__(
        self, engine: sa.Engine, actor: str, place: str = "", now_ms: Callable[[], int] = wall_clock.now_ms
    ) -> None:
        self._now_ms = now_ms
        self._engine = engine
        self._actor = actor
        self._place = place
        self._joint: sa.Connection | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all changes in the block one transaction: all of them are made, or none."""
        with writing(self._engine) as connection:
            self._joint = connection
            try:
                yield
            finally:
                self._joint = None

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Make all changes in the block at its end, or none, and lock the store for a moment only.

        Nothing can be removed in the block, nor the site changed. SetupProblem when another program has changed the
        directory while the block ran.
        """
        from phoneterm_bridge.store.gathering import Gathering  # a bridge that runs never needs it

        gathering = Gathering(self._engine)
        try:
            with gathering.engine.begin() as self._joint:
                yield
            self._joint = None
            with writing(self._engine) as connection:
                self._note_whole(connection)
                gathering.write(connection)
        finally:
            self._joint = None
            gathering.close()

    def add_user(self, name: str, is_multi_user_aware: bool = False) -> None:
        """Add a user; without the permission User is multi user aware unless it is given."""
        _refuse(names.problem_of_user(name))
        with self._writing() as connection:
            _refuse_existing(connection, tables.users.c.name, name, "user")
            connection.execute(tables.users.insert().values(name=name, multi_user_aware=is_multi_user_aware))
            added: Setting = (USER, name, {"multi_user_aware": is_multi_user_aware})
            self._record_change(connection, name, f"user added, multi user aware {is_multi_user_aware}", added)

    def set_multi_user_aware(self, name: str, is_allowed: bool) -> None:
        """Give the user the permission User is multi user aware, or take it away."""
        with self._writing() as connection:
            _require(connection, tables.users.c.name, name, "user")
            change = tables.users.update().where(tables.users.c.name == name)
            connection.execute(change.values(multi_user_aware=is_allowed))
            now: Setting = (USER, name, {"multi_user_aware": is_allowed})
            self._record_change(connection, name, f"multi user aware {is_allowed}", now)

    def remove_user(self, name: str) -> None:
        """Remove a user with all extensions and their terminals."""
        owned = sa.select(tables.extensions.c.number).where(tables.extensions.c.user == name)
        with self._writing() as connection:
            _require(connection, tables.users.c.name, name, "user")
            for number in connection.execute(owned).scalars().all():
                self._take_extension(connection, number)
            connection.execute(tables.users.delete().where(tables.users.c.name == name))
            self._record_change(connection, name, "user removed", (USER, name, None))

    def add_extension(
        self,
        number: str,
        user: str,
        endpoint: str | None = None,
        context: str = "internal",
        extension_type: str = TERMINAL_TYPE,
    ) -> None:
        """Add an extension of a user; the endpoint (device name at the PBX) is the number unless it is given."""
        _refuse(names.problem_of_extension(number))
        for what, name in (("endpoint", endpoint or number), ("context", context), ("type", extension_type)):
            _refuse(names.problem_of_pbx_name(what, name))
        row = {"user": user, "endpoint": endpoint or number, "context": context, "type": extension_type}
        with self._writing() as connection:
            _refuse_existing(connection, tables.extensions.c.number, number, "extension")
            _require(connection, tables.users.c.name, user, "user")
            connection.execute(tables.extensions.insert().values(number=number, **row))
            added = f"extension added for {user}, type {extension_type}"
            self._record_change(connection, number, added, (EXTENSION, number, row))

    def change_extension(self, number: str, **changes: str) -> None:
        """Change an extension's user, endpoint, context or type; those that are not named stay as they are."""
        if not changes or not changes.keys() <= {"user", "endpoint", "context", "type"}:
            raise ValueError(f"an extension has no {sorted(changes)} that could be changed")
        for what, name in changes.items():
            _refuse(names.problem_of_user(name) if what == "user" else names.problem_of_pbx_name(what, name))
        with self._writing() as connection:
            _require(connection, tables.extensions.c.number, number, "extension")
            if "user" in changes:
                _require(connection, tables.users.c.name, changes["user"], "user")
            here = tables.extensions.c.number == number
            before = connection.execute(sa.select(tables.extensions.c.endpoint).where(here)).scalar_one()
            connection.execute(tables.extensions.update().where(here).values(**changes))
            said = ", ".join(f"{what} {name}" for what, name in changes.items())
            is_elsewhere = changes.get("endpoint", before) != before  # what a PBX has said is of the one before
            gone = self._forget_told(connection, number) if is_elsewhere else []
            self._record_change(connection, number, said, (EXTENSION, number, dict(changes)), *gone)

    def remove_extension(self, number: str) -> None:
        """Remove an extension with its terminals."""
        with self._writing() as connection:
            _require(connection, tables.extensions.c.number, number, "extension")
            self._take_extension(connection, number)

    def add_terminal(self, tid: str, extension: str, prepared: Prepared | None = None) -> Enrolment:
        """Add a terminal that may transfer to internal numbers (once its user may at all); return its new secrets."""
        _refuse(names.problem_of_tid(tid))
        enrolment, row = prepared or prepare_terminal(tid)
        with self._writing() as connection:
            _refuse_existing(connection, tables.terminals.c.tid, tid, "terminal")
            _require(connection, tables.extensions.c.number, extension, "extension")
            own = {"extension": extension, "revoked": False, "added_ms": self._now_ms()}
            connection.execute(tables.terminals.insert().values(**row, **own))
            allowed = dict.fromkeys(FLAGS, True) | {"classes": ",".join(DEFAULT_CLASSES)}
            allowed |= {"allow_prefixes": "", "deny_prefixes": ""}
            connection.execute(tables.permissions.insert().values(tid=tid, **allowed))
            added: Setting = (TERMINAL, tid, own | allowed | hash_secrets(row))
            self._record_change(connection, tid, f"terminal added at extension {extension}", added)
        return enrolment

    def rotate_terminal(self, tid: str, prepared: Prepared | None = None) -> Enrolment:
        """Give a terminal new secrets and return them; the old ones are worthless from now on."""
        enrolment, row = prepared or prepare_terminal(tid)
        with self._writing() as connection:
            _require(connection, tables.terminals.c.tid, tid, "terminal")
            live = sa.and_(tables.terminals.c.tid == tid, tables.terminals.c.revoked.is_(False))
            if connection.execute(tables.terminals.update().where(live).values(**row)).rowcount == 0:
                raise SetupProblem(f"The terminal {tid!r} was revoked for good: enrol another one.")
            self._record_change(connection, tid, "terminal has new secrets", (TERMINAL, tid, hash_secrets(row)))
        return enrolment

    def revoke_terminal(self, tid: str) -> None:
        """Revoke a terminal for good: its secrets are worthless from now on."""
        with self._writing() as connection:
            _require(connection, tables.terminals.c.tid, tid, "terminal")
            connection.execute(tables.terminals.update().where(tables.terminals.c.tid == tid).values(revoked=True))
            self._record_change(connection, tid, "terminal revoked", (TERMINAL, tid, {"revoked": True}))

    def remove_terminal(self, tid: str) -> None:
        """Remove a terminal: its secrets are worthless from now on, and its id is free again."""
        with self._writing() as connection:
            _require(connection, tables.terminals.c.tid, tid, "terminal")
            self._take_terminal(connection, tid)

    def set_operation(self, tid: str, operation: str, is_allowed: bool) -> None:
        """Set or clear one of the flags that operations need."""
        if operation not in FLAGS:
            raise SetupProblem(f"An operation that can be allowed is {' or '.join(FLAGS)}, not {operation!r}.")
        self._set_permissions(tid, f"{operation} {is_allowed}", **{operation: is_allowed})

    def set_classes(self, tid: str, classes: tuple[str, ...]) -> None:
        """Set all destination classes that a terminal may transfer to."""
        _refuse(names.problem_of_classes(classes))
        self._set_permissions(tid, f"classes {' '.join(classes) or 'none'}", classes=",".join(classes))

    def set_prefixes(self, tid: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> None:
        """Set all prefixes of numbers that a terminal may, and may not, transfer to, whatever their class."""
        _refuse(names.problem_of_prefixes((*allow, *deny)))
        change = f"prefixes allowed {' '.join(allow) or 'none'}, denied {' '.join(deny) or 'none'}"
        self._set_permissions(tid, change, allow_prefixes=",".join(allow), deny_prefixes=",".join(deny))

    def set_group(self, tid: str, name: str) -> None:
        """Put a terminal into a site group; an empty name takes it out of its group."""
        wanted = names.tidy_group(name)
        _refuse(names.problem_of_group(wanted) if wanted else None)
        with self._writing() as connection:
            _require(connection, tables.terminals.c.tid, tid, "terminal")
            change = tables.terminals.update().where(tables.terminals.c.tid == tid)
            connection.execute(change.values(site_group=wanted))
            now: Setting = (GROUP, tid, group_columns(wanted) if wanted else None)
            self._record_change(connection, tid, f"{GROUPED}{wanted or 'none'}", now)

    def note_settings(self, what: str) -> None:
        """Record that rules in the settings file, not in the store, have changed."""
        with self._writing() as connection:
            self._record_change(connection, SETTINGS, what)

    def record_request(self, tid: str, what: str) -> None:
        """Record what a terminal is told to do."""
        with self._writing() as connection:
            self._record_change(connection, tid, f"{REQUESTED}{what}")

    def note_line(self, tid: str, why: str) -> None:
        """Record why a terminal's connection is slowed down or was cut off; SetupProblem when it is not there."""
        with self._writing() as connection:
            _require(connection, tables.terminals.c.tid, tid, "terminal")
            self._record_change(connection, tid, f"{CUT_OFF}{why}")

    def set_external_revoked(self, is_revoked: bool, why: str) -> None:
        """Revoke external transfers for the whole site, or restore them."""
        with self._writing() as connection:
            now = {"external_revoked": is_revoked, "external_since_ms": self._now_ms()}
            connection.execute(tables.state.update().values(**now))
            said = f"external transfers {'revoked' if is_revoked else 'restored'}: {why}"
            self._record_change(connection, SITE, said, (SITE, SITE, now))

    def note_blotting(self, subject: str, what: str, until: int) -> None:
        """Record that numbers may be blotted out of the journal up to this row, and permit it."""
        with self._writing() as connection:
            connection.execute(tables.journal_blotted.update().values(seq=until))
            self._record_change(connection, subject, what)

    def note_restore(self, revision: int, config_revision: int, what: str) -> None:
        """Continue from revisions that terminals may know already, so that they accept what is newer."""
        with self._writing() as connection:
            state = connection.execute(sa.select(tables.state)).one()
            known = {"revision": max(state.revision, revision)}
            known |= {"config_revision": max(state.config_revision, config_revision) + 1}
            connection.execute(tables.state.update().values(**known))
            self._record_change(connection, "store", what)

    def note_whole(self) -> None:
        """Record all that the directory has, if it was changed by an early version, which recorded less."""
        with self._writing() as connection:
            self._note_whole(connection)

    def _take_extension(self, connection: sa.Connection, number: str) -> None:
        here = sa.select(tables.terminals.c.tid).where(tables.terminals.c.extension == number)
        for tid in connection.execute(here).scalars().all():
            self._take_terminal(connection, tid)
        gone = self._forget_told(connection, number)
        connection.execute(tables.extensions.delete().where(tables.extensions.c.number == number))
        self._record_change(connection, number, "extension removed", (EXTENSION, number, None), *gone)

    def _forget_told(self, connection: sa.Connection, number: str) -> list[Setting]:
        """Forget what a PBX has said of an extension."""
        told = tables.pbx_permissions.delete().where(tables.pbx_permissions.c.extension == number)
        return [(PBX_PERMISSION, number, None)] * connection.execute(told).rowcount

    def _take_terminal(self, connection: sa.Connection, tid: str) -> None:
        """Delete a terminal, after everything that refers to it."""
        for table in tables.metadata.tables.values():
            for own in (key.parent for key in table.foreign_keys if key.column is tables.terminals.c.tid):
                connection.execute(table.delete().where(own == tid))
        connection.execute(tables.terminals.delete().where(tables.terminals.c.tid == tid))
        gone: tuple[Setting, ...] = ((TERMINAL, tid, None), (GROUP, tid, None))
        self._record_change(connection, tid, REMOVED, *gone)

    def _set_permissions(self, tid: str, change: str, **columns: object) -> None:
        with self._writing() as connection:
            _require(connection, tables.terminals.c.tid, tid, "terminal")
            where = tables.permissions.c.tid == tid
            connection.execute(tables.permissions.update().where(where).values(**columns))
            self._record_change(connection, tid, change, (TERMINAL, tid, columns))

    def _record_change(self, connection: sa.Connection, subject: str, change: str, *now: Setting) -> None:
        """Raise the revision and record who changed what, and what is set `now`."""
        self._note_whole(connection)
        self._add_change(connection, self._describe(subject, change) | {"now": now})

    def _note_whole(self, connection: sa.Connection) -> None:
        if needs_whole(connection):
            now = [(*place, columns) for place, columns in read_all(connection).items()]
            said = self._describe("store", "all that an early version has recorded in part")
            self._add_change(connection, said | {"now": now, "whole": True})

    def _add_change(self, connection: sa.Connection, detail: dict) -> None:
        """Raise the revision and add a change to the chain."""
        raised = tables.state.update().values(revision=tables.state.c.revision + 1).returning(tables.state.c.revision)
        revision = connection.execute(raised).scalar_one()
        row = Row(None, self._now_ms(), "change", "directory", None, detail_of({"revision": revision} | detail))
        add_rows(driver_of(connection), [row])

    def _describe(self, subject: str, change: str) -> dict:
        return {"who": self._actor[:64], "where": self._place[:64], "what": change, "subject": subject}

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self._joint is not None:
            yield self._joint
            return
        with writing(self._engine) as connection:
            yield connection


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise SetupProblem(f"{problem}.")


def _exists(connection: sa.Connection, column: sa.Column, value: str) -> bool:
    return connection.execute(sa.select(column).where(column == value)).first() is not None


def _require(connection: sa.Connection, column: sa.Column, value: str, what: str) -> None:
    if not _exists(connection, column, value):
        raise SetupProblem(f"There is no {what} {value!r}.")


def _refuse_existing(connection: sa.Connection, column: sa.Column, value: str, what: str) -> None:
    if _exists(connection, column, value):
        raise SetupProblem(f"There already is a {what} {value!r}.")
