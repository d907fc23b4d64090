"""Journals the rules of the settings file whenever they have changed. Does not apply them.

A file has no author: the entry only says that the rules were different when the bridge started, and on which host.
"""

import json
import platform

import sqlalchemy as sa

from phoneterm_bridge.policy.site import digit_map_of
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.store.directory import SETTINGS, Directory
from phoneterm_bridge.store.journal_reading import read_changes


def record_policy(engine: sa.Engine, phones: PhoneSettings, policy: PolicySettings) -> bool:
    """Journal the rules in force if they differ from the last journalled ones; return whether this was done."""
    rules = policy.model_dump(mode="json") | {"digit_map": digit_map_of(phones)}
    what = f"rules in force: {json.dumps(rules, sort_keys=True)}"
    last = read_changes(engine, SETTINGS, 1)
    if last and last[0].what == what:
        return False
    Directory(engine, "bridge", f"host {platform.node()}").note_settings(what)
    return True
