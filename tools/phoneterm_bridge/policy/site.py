"""The policy of this site: the settings' rules with the digit map in force. Does not judge numbers.

Knows the firmware's default key roles only to tell whether a digit map fits them.
"""

from phoneterm.core.digit_map_compiler import DEFAULT_MAP, compile_map
from phoneterm.core.messages import Rejected

from phoneterm_bridge.policy.rules import FORBIDDEN_CLASSES, Policy
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.settings.policy import PolicySettings


def digit_map_of(settings: PhoneSettings) -> str:
    """Return the digit map in force: the one of the settings, or the default one."""
    return settings.digit_map or DEFAULT_MAP


def classes_of(settings: PhoneSettings) -> tuple[str, ...] | None:
    """Return the classes of numbers that a terminal may have; None when the digit map is invalid."""
    digit_map = compile_map(digit_map_of(settings))
    if isinstance(digit_map, Rejected):
        return None
    return tuple(dict.fromkeys(group.name for group in digit_map.groups if group.name not in FORBIDDEN_CLASSES))


def make_policy(settings: PhoneSettings, policy: PolicySettings) -> Policy:
    """Return the policy with the digit map in force; SetupProblem when a terminal would not accept the map."""
    roles = [settings.commit or "A", settings.erase or "B", settings.cancel or "C", settings.swap or "D"]
    # A commit key # does what # does in a map; any other role would take the key away from the number.
    return Policy(digit_map_of(settings), "".join(roles[1:]) + roles[0].replace("#", ""), policy)
