"""The configuration document every terminal is sent, with a revision that rises when it changes.

Does not send it, and knows the firmware's default roles only to tell whether a digit map fits them.
"""

import json

import sqlalchemy as sa
from phoneterm.core.digit_map import DEFAULT_MAP

from phoneterm_bridge.policy.rules import Policy
from phoneterm_bridge.policy.settings import PolicySettings
from phoneterm_bridge.settings import PhoneSettings
from phoneterm_bridge.store import reading

_OPERATIONS = ("blind", "attended", "complete", "cancel", "swap")


def digit_map_of(settings: PhoneSettings) -> str:
    """Return the digit map in force: the one of the settings, or the default one."""
    return settings.digit_map or DEFAULT_MAP


def make_policy(settings: PhoneSettings, policy: PolicySettings) -> Policy:
    """Return the policy with the digit map in force; SetupProblem when a terminal would not accept the map."""
    roles = [settings.commit or "A", settings.erase or "B", settings.cancel or "C", settings.swap or "D"]
    # A commit key that is # does what # does in a map; every other role would take the key away from the number.
    return Policy(digit_map_of(settings), "".join(roles[1:]) + roles[0].replace("#", ""), policy)


def make_config(settings: PhoneSettings, operations: frozenset[str], engine: sa.Engine) -> dict:
    """Return the fields of the config message; the store remembers the last text, so the revision only rises."""
    fields = settings.model_dump(exclude={"ttl_ms"}) | {
        "digit_map": digit_map_of(settings),
        "ops": [op for op in _OPERATIONS if op in operations],
    }
    return fields | {"rev": reading.read_config_revision(engine, json.dumps(fields, sort_keys=True))}
