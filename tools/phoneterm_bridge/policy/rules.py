"""Whether a terminal may send a caller to a number now. Does not know calls, sessions, the dialplan or how often.

Allowed means: the extension is a phone terminal, its user is multi user aware, the operation is in the table and
allowed, and so is its number, if it takes one. Emergency numbers and feature codes are never allowed. Otherwise the
longest matching prefix decides, and if none matches, the number's class from the digit map. Outside numbers are allowed
only in office hours, and not after they were revoked.

There are two witnesses to what a number is: its digits, and the PBX's dialplan where it tells. The stricter one counts:
what leaves over a trunk is outside whatever its digits say, and needs a class that is; spying and the like are refused.
"""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from phoneterm.core import messages
from phoneterm.core.digit_map_compiler import compile_map

from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.pbx.port import DANGERS, Destination
from phoneterm_bridge.policy.number_rules import is_emergency, is_feature_code, verdict_by_prefix
from phoneterm_bridge.settings.office_hours import is_within, read_hours
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.records import TERMINAL_TYPE, TerminalRecord

# Classes that are never a target, whatever the permissions say.
FORBIDDEN_CLASSES = frozenset({"emergency", "feature"})
# In the journal, of a number that leaves over a trunk by what the dialplan says.
OUTSIDE_MARK = "dialplan: outside"
_NUMBERS_REMEMBERED = 1024


class Refusal(NamedTuple):
    """A wire reason, and the exact cause for the journal."""

    reason: str
    cause: str | None = None


class Policy:
    """The rules of one digit map; `legends_in_use` are the keys that end, erase or cancel a number."""

    def __init__(self, digit_map: str, legends_in_use: str = "", settings: PolicySettings | None = None) -> None:
        compiled = compile_map(digit_map, legends_in_use)
        if isinstance(compiled, messages.Rejected):
            raise SetupProblem(f"The setting phones.digit_map is not right: {compiled.detail}.")
        self._map = compiled
        self._class_of = lru_cache(_NUMBERS_REMEMBERED)(compiled.class_of)
        self._forbids = lru_cache(_NUMBERS_REMEMBERED)(self._refuse_for_all)
        self._settings = settings or PolicySettings()
        self._hours = read_hours(self._settings.office_hours)

    def refusal(self, terminal: TerminalRecord, op: str, number: str | None, moment: datetime) -> Refusal | None:
        """Return why this terminal may not do this at this local time, or None."""
        if terminal.is_unconfirmed:
            return Refusal("permission", "not-confirmed-by-pbx")
        if not terminal.may_transfer:
            is_phone = terminal.extension_type == TERMINAL_TYPE
            return Refusal("permission", "not-multi-user-aware" if is_phone else "no-phone-terminal")
        operation = find_operation(op)
        if operation is None:
            return Refusal("permission", "no-rule")
        if not terminal.has(operation.permission):
            return Refusal("permission", "operation")
        if not operation.takes_number:
            return None
        if number is None:
            return Refusal("bad-number")
        if number == terminal.extension:
            return Refusal("self")
        if self._class_of(number) is None:
            return Refusal("bad-number")
        cause = self._refuse_number(terminal, number, moment)
        return None if cause is None else Refusal("destination", cause)

    def refusal_by_dialplan(
        self, terminal: TerminalRecord, number: str, destination: Destination | None, moment: datetime
    ) -> Refusal | None:
        """Return why the terminal may not send a caller to this number, which its digits allow, or None."""
        if destination is None:
            return None
        if destination.kind in DANGERS:
            return None if destination.kind in self._settings.allow_kinds else Refusal("destination", destination.kind)
        if destination.kind != "outside" or self._class_of(number) not in self._settings.internal:
            return None
        allow, deny = (*self._settings.allow, *terminal.allow_prefixes), (*self._settings.deny, *terminal.deny_prefixes)
        if verdict_by_prefix(number, allow, deny) is None and set(terminal.classes) <= set(self._settings.internal):
            return Refusal("destination", "outside")
        cause = self._refuse_outside(terminal, moment)
        return None if cause is None else Refusal("destination", cause)

    def is_external(self, op: str, number: str | None, destination: Destination | None = None) -> bool:
        """Say whether this sends a caller to an outside number; an unknown operation counts as doing so."""
        operation = find_operation(op)
        if number is None or not (operation is None or operation.takes_number):
            return False
        is_outside = destination is not None and destination.kind == "outside"
        return is_outside or self._class_of(number) not in self._settings.internal

    def describe_number(self, number: str, destination: Destination | None) -> str:
        """Say what both witnesses take a number for, for the journal."""
        told = "not told" if destination is None else f"{destination.kind}, {destination.place}"
        return f"digits: {self._class_of(number)}; dialplan: {told}"

    def classes_for(self, terminal: TerminalRecord) -> list[str]:
        """Return the classes in which the terminal may transfer to some number, for its own quick feedback."""
        found = set(terminal.classes)
        for prefix in (*self._settings.allow, *terminal.allow_prefixes):
            state = self._map.start()
            for symbol in prefix:
                state = self._map.step(state, symbol)
            found.update(self._map.possible_classes(state))
        if terminal.is_external_revoked:
            found.intersection_update(self._settings.internal)
        return sorted(found - FORBIDDEN_CLASSES)

    def _refuse_number(self, terminal: TerminalRecord, number: str, moment: datetime) -> str | None:
        settings, number_class = self._settings, self._class_of(number)
        forbidden = self._forbids(number)
        if forbidden is not None:
            return forbidden
        allow, deny = (*settings.allow, *terminal.allow_prefixes), (*settings.deny, *terminal.deny_prefixes)
        is_allowed = verdict_by_prefix(number, allow, deny)
        if is_allowed is False:
            return "prefix"
        if is_allowed is None and number_class not in terminal.classes:
            return "class"
        return None if number_class in settings.internal else self._refuse_outside(terminal, moment)

    def _refuse_outside(self, terminal: TerminalRecord, moment: datetime) -> str | None:
        if terminal.is_external_revoked:
            return "external-revoked"
        return None if is_within(self._hours, moment) else "office-hours"

    def _refuse_for_all(self, number: str) -> str | None:
        """Return why nobody may send a caller to a number, whatever the permissions."""
        settings, number_class = self._settings, self._class_of(number)
        if number_class == "emergency" or is_emergency(number, settings.emergency, settings.outside_line):
            return "emergency"
        # A map that has numbers with a star in front says itself which ones may be dialled.
        features = [prefix for prefix in settings.features if prefix != "*"]
        if number_class == "feature" or is_feature_code(number, features):
            return "feature-code"
        return None
