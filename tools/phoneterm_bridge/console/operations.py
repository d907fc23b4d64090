"""What the console changes, each as one call on behalf of a visitor. The same functions as the command line's.

Each returns what it did, in one sentence; what cannot be done is a SetupProblem. They block: call them off the event
loop. Judges nobody's role.
"""

from typing import NamedTuple

import sqlalchemy as sa
from phoneterm.core.operations import FLAGS

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

REQUESTS = {"identify": "was told to show itself", "reboot": "was told to reboot, and has gone"}
BULK = ("allow-blind", "deny-blind", "allow-attended", "deny-attended", "reboot", "identify")
MOST_AT_ONCE = 1000


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

    def set_classes(self, visitor: Visitor, tid: str, classes: tuple[str, ...]) -> str:
        """Set all classes of numbers that a terminal may transfer to."""
        self._require_live(tid)
        refuse_unknown_classes(classes, classes_of(self._settings.phones))
        self._directory(visitor).set_classes(tid, classes)
        return f"{tid} may transfer to {', '.join(classes) or 'no class of numbers'}."

    def enrol(
        self, visitor: Visitor, extension: str, tid: str | None, mqtt_host: str | None, is_here: bool = False
    ) -> HandedOut:
        """Enrol a terminal and return its settings, only once."""
        wanted = tid or default_tid(extension)
        handout = prepare_handout(self._settings.broker, mqtt_host, None, None, is_here)
        enrolment = self._directory(visitor).add_terminal(wanted, extension)
        return HandedOut(wanted, extension, handout.document(enrolment, extension))

    def rotate(self, visitor: Visitor, tid: str, mqtt_host: str | None, is_here: bool = False) -> HandedOut:
        """Give a terminal new secrets and return its settings, only once."""
        extension = self._require_live(tid).extension
        handout = prepare_handout(self._settings.broker, mqtt_host, None, None, is_here)
        return HandedOut(tid, extension, handout.document(self._directory(visitor).rotate_terminal(tid), extension))

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

    def set_operation_of_many(self, visitor: Visitor, tids: list[str], operation: str, is_allowed: bool) -> str:
        """Allow terminals an operation, or forbid it: all of them, or none."""
        if operation not in FLAGS:
            raise SetupProblem(f"An operation that can be allowed is {' or '.join(FLAGS)}, not {operation!r}.")
        directory = self._directory(visitor)
        with directory.together():
            for tid in tids:
                directory.set_operation(tid, operation, is_allowed)
        count = "1 terminal" if len(tids) == 1 else f"{len(tids)} terminals"
        return f"{count} may {'' if is_allowed else 'not '}do {operation} transfers{'' if is_allowed else ' any more'}."

    def plan(self, content: bytes) -> ImportPlan:
        """Return what a CSV file would change, and its mistakes."""
        settings = self._settings
        return plan_import(self._engine, content, classes_of(settings.phones), settings.pbx.context)

    def import_file(self, visitor: Visitor, content: bytes, mqtt_host: str | None) -> list[HandedOut]:
        """Make all changes of a CSV file, or none; return the settings of new terminals, only once."""
        plan = self.plan(content)
        if plan.mistakes:
            raise SetupProblem(f"The file has mistakes, and nothing was changed: {plan.mistakes[0]}")
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
