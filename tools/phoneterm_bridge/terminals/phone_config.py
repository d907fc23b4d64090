"""The configuration document that every terminal gets, with a revision that rises when it changes. Does not send it."""

import json

import sqlalchemy as sa

from phoneterm_bridge.pbx.operations import all_operations
from phoneterm_bridge.policy.site import digit_map_of
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.store.config_revision import raise_config_revision


def make_config(settings: PhoneSettings, operations: frozenset[str], engine: sa.Engine) -> dict:
    """Return the fields of the config message; the store remembers the last text, so the revision only rises."""
    fields = settings.model_dump(exclude={"ttl_ms"}) | {
        "digit_map": digit_map_of(settings),
        "ops": [row.name for row in all_operations() if row.name in operations],
    }
    return fields | {"rev": raise_config_revision(engine, json.dumps(fields, sort_keys=True))}
