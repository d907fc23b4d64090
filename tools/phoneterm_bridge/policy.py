"""Whether a terminal may send a caller to a number. Does not know calls, sessions or the dialplan.

Allowed means: the extension is a phone terminal, its user is multi user aware, the operation is allowed and the
number's class is allowed. The class comes from the digit map. Answers are wire reasons; None means allowed.
"""

from phoneterm.core import messages
from phoneterm.core.digit_map import compile_map

from phoneterm_bridge.problem import SetupProblem
from phoneterm_bridge.store.records import TerminalRecord

# Classes that are never a target, whatever the permissions say.
FORBIDDEN_CLASSES = frozenset({"emergency", "feature"})
TRANSFERS = ("blind", "attended")


class Policy:
    """The rules of one digit map; `legends_in_use` are the keys that end, erase or cancel a number."""

    def __init__(self, digit_map: str, legends_in_use: str = "") -> None:
        compiled = compile_map(digit_map, legends_in_use)
        if isinstance(compiled, messages.Rejected):
            raise SetupProblem(f"The setting phones.digit_map is not right: {compiled.detail}.")
        self._map = compiled

    def refusal(self, terminal: TerminalRecord, op: str, number: str | None) -> str | None:
        """Return the reason why this terminal may not do this, or None."""
        if not terminal.may_transfer:
            return "permission"
        if op not in TRANSFERS:
            return None
        if not (terminal.allows_blind if op == "blind" else terminal.allows_attended):
            return "permission"
        if number is None:
            return "bad-number"
        if number == terminal.extension:
            return "self"
        number_class = self._map.class_of(number)
        if number_class is None:
            return "bad-number"
        if number_class in FORBIDDEN_CLASSES or number_class not in terminal.classes:
            return "destination"
        return None
