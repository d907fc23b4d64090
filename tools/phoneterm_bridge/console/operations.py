"""What the console changes, each as one call on behalf of a visitor. The same functions as the command line's.

Each returns what it did, in one sentence; what cannot be done is a SetupProblem. They block: call them off the event
loop. Judges nobody's role.
"""

from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.administration.bulk_change import (
    ALLOW_CLASS,
    DENY_CLASS,
    REVOKE,
    ROTATE,
    Absence,
    Change,
    Preview,
    classes_then,
    preview_change,
    read_change,
)
from phoneterm_bridge.administration.bulk_making import make_change
from phoneterm_bridge.administration.granting import refuse_unknown_classes
from phoneterm_bridge.administration.handout import default_tid, prepare_handout
from phoneterm_bridge.administration.requesting import Patience, Waiting
from phoneterm_bridge.console.visitors import Visitor
from phoneterm_bridge.csv_files.files import carry_out, new_terminals, plan_import
from phoneterm_bridge.csv_files.plan import ImportPlan
from phoneterm_bridge.policy.site import classes_of
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.accounts import Accounts
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.records import Enrolment, TerminalRecord

_MOSQUITTO = (
    "mosquitto learns of it when its files are written anew (`phoneterm broker config FOLDER`) and it is reloaded."
)
REQUESTS = {"identify": "was told to show itself", "reboot": "was told to reboot, and has gone"}


class HandedOut(NamedTuple):
    """A terminal's new settings, with its secrets, as the text of its file."""

    tid: str
    extension: str
    document: str


class Operations:
    """The operations on one store."""

    def __init__(self, engine: sa.Engine, settings: BridgeSettings, patience: Patience | None = None) -> None:
        self._engine = engine
        self._settings = settings
        self._patience = patience or Patience()

    def set_aware(self, visitor: Visitor, user: str, is_allowed: bool) -> str:
        """Give a user the permission User is multi user aware, or take it away."""
        self._directory(visitor).set_multi_user_aware(user, is_allowed)
        return f"{user} is {'' if is_allowed else 'not '}multi user aware{'' if is_allowed else ' any more'}."

    def set_operation(self, visitor: Visitor, tid: str, operation: str, is_allowed: bool) -> str:
        """Allow a terminal an operation, or forbid it."""
        self._require_live(tid)
        self._directory(visitor).set_operation(tid, operation, is_allowed)
        return f"{tid} may {'' if is_allowed else 'not '}do {operation} transfers{'' if is_allowed else ' any more'}."

    def set_class(self, visitor: Visitor, tid: str, name: str, is_allowed: bool) -> str:
        """Allow a terminal a class of numbers, or forbid it; all others stay as they are at that moment."""
        change = self.read_change(ALLOW_CLASS if is_allowed else DENY_CLASS, name)
        directory = self._directory(visitor)
        with directory.together():  # two boxes may be flipped at once
            classes = classes_then(change, self._require_live(tid))
            directory.set_classes(tid, classes)
        return f"{tid} may transfer to {', '.join(classes) or 'no class of numbers'}."

    def set_rights(
        self, visitor: Visitor, tid: str, operations: dict[str, bool], classes: tuple[str, ...] | None
    ) -> None:
        """Set some or all of what a terminal may do: all of it, or nothing. classes: None leaves them alone."""
        self._require_live(tid)
        refuse_unknown_classes(classes or (), classes_of(self._settings.phones))
        directory = self._directory(visitor)
        with directory.together():
            for operation, is_allowed in operations.items():
                directory.set_operation(tid, operation, is_allowed)
            if classes is not None:
                directory.set_classes(tid, classes)

    def enrol(
        self, visitor: Visitor, extension: str, tid: str | None, mqtt_host: str | None, group: str = ""
    ) -> HandedOut:
        """Enrol a terminal, in a site group or in none, and return its settings, only once."""
        wanted = tid or default_tid(extension)
        handout = prepare_handout(self._settings.broker, mqtt_host, None, None, False)
        directory = self._directory(visitor)
        with directory.together():  # without its settings a terminal that is enrolled is of no use
            enrolment = directory.add_terminal(wanted, extension)
            if group:
                directory.set_group(wanted, group)
            return HandedOut(wanted, extension, handout.document(enrolment, extension))

    def rotate(self, visitor: Visitor, tid: str, mqtt_host: str | None) -> HandedOut:
        """Give a terminal new secrets and return its settings, only once."""
        extension = self._require_live(tid).extension
        handout = prepare_handout(self._settings.broker, mqtt_host, None, None, False)
        directory = self._directory(visitor)
        with directory.together():
            return HandedOut(tid, extension, handout.document(directory.rotate_terminal(tid), extension))

    def revoke(self, visitor: Visitor, tid: str) -> str:
        """Revoke a terminal for good."""
        self._require_live(tid)
        self._directory(visitor).revoke_terminal(tid)
        return f"{tid} is revoked for good: its secrets are worthless."

    def ask(self, visitor: Visitor, tid: str, operation: str) -> Waiting:
        """Hand a terminal the request to show itself or to reboot, and return what waits for its answer."""
        if operation not in REQUESTS:
            raise SetupProblem(f"A terminal can be told to {' or '.join(REQUESTS)}, not {operation!r}.")
        return Waiting(self._engine, tid, operation, visitor.actor, visitor.place, self._patience)

    def set_group(self, visitor: Visitor, tid: str, name: str) -> str:
        """Put a terminal into a site group; an empty name takes it out of its group."""
        change = self.read_change("group", name)
        preview, _ = self.change_many(visitor, change, [tid], None, None)
        return f"{tid} {preview.words}. {' '.join(preview.notes)}".strip()

    def read_change(self, what: str, value: str) -> Change:
        """Return a change of many terminals."""
        return read_change(what, value, classes_of(self._settings.phones))

    def preview(self, change: Change, tids: list[str], find_absence: Absence, mqtt_host: str | None) -> Preview:
        """Return who is affected by a change of many terminals; what would stop it, stops this."""
        if change.what == ROTATE:
            prepare_handout(self._settings.broker, mqtt_host, None, None, False)
        preview = preview_change(change, tids, reading.read_snapshot(self._engine), find_absence)
        if change.what in (ROTATE, REVOKE) and not self._settings.broker.embedded and preview.affected:
            return preview._replace(notes=(*preview.notes, _MOSQUITTO))
        return preview

    def change_many(
        self, visitor: Visitor, change: Change, tids: list[str], mark: str | None, mqtt_host: str | None
    ) -> tuple[Preview, list[HandedOut]]:
        """Make a change of many terminals, all of it or nothing; return it, and new settings, only once."""
        handed: list[HandedOut] = []
        is_rotated = change.what == ROTATE
        handout = prepare_handout(self._settings.broker, mqtt_host, None, None, False) if is_rotated else None

        def keep(enrolments: list[Enrolment]) -> None:
            if handout is not None:
                records = reading.read_snapshot(self._engine).terminals
                extensions = {one.tid: records[one.tid].extension for one in enrolments}
                handed.extend(
                    HandedOut(one.tid, extensions[one.tid], handout.document(one, extensions[one.tid]))
                    for one in enrolments
                )

        return make_change(self._engine, self._directory(visitor), change, tids, mark, keep), handed

    def plan(self, content: bytes) -> ImportPlan:
        """Return what a CSV file would change, and its mistakes."""
        settings = self._settings
        return plan_import(self._engine, content, classes_of(settings.phones), settings.pbx.context)

    def import_file(self, visitor: Visitor, content: bytes, mqtt_host: str | None, mark: str | None) -> list[HandedOut]:
        """Make all changes of a CSV file, or none; return the settings of new terminals, only once.

        mark: of the plan that somebody has agreed to; None where nobody has seen one.
        """
        plan = self.plan(content)
        if plan.mistakes:
            raise SetupProblem(f"The file has mistakes, and nothing was changed: {plan.mistakes[0]}")
        if mark is not None and mark != plan.mark:
            raise SetupProblem("What the file changes is something else by now, so nothing was done: look at it again.")
        new = {step.arguments[0]: step.arguments[1] for step in new_terminals(plan)}
        handout = prepare_handout(self._settings.broker, mqtt_host, None, None, False) if new else None
        made: list[Enrolment] = []
        carry_out(self._directory(visitor), plan, made.extend)
        if handout is None:
            return []
        return [HandedOut(one.tid, new[one.tid], handout.document(one, new[one.tid])) for one in made]

    def accounts(self, visitor: Visitor) -> Accounts:
        """Return the writing side of accounts and tokens."""
        return Accounts(self._engine, visitor.actor, visitor.place)

    def _directory(self, visitor: Visitor) -> Directory:
        return Directory(self._engine, visitor.actor, visitor.place)

    def _require_live(self, tid: str) -> TerminalRecord:
        record = reading.read_snapshot(self._engine).terminals.get(tid)
        if record is None:
            raise SetupProblem(f"There is no terminal {tid!r}.")
        if record.is_revoked:
            raise SetupProblem(f"The terminal {tid!r} was revoked for good: enrol another one.")
        return record
