"""Asks every source of findings, in the order a person would look. Finds nothing out by itself.

A source that breaks is a finding too ("not known"), so that one mistake never hides the rest.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from phoneterm_bridge.doctor.broker import examine_broker
from phoneterm_bridge.doctor.clock import examine_clock
from phoneterm_bridge.doctor.disk import examine_disk
from phoneterm_bridge.doctor.finding import UNKNOWN, Finding
from phoneterm_bridge.doctor.history import examine_history, has_heard_calls
from phoneterm_bridge.doctor.login import ProbeLogin
from phoneterm_bridge.doctor.numbers import examine_digit_map
from phoneterm_bridge.doctor.pbx import examine_pbx
from phoneterm_bridge.doctor.settings_file import examine_settings
from phoneterm_bridge.doctor.store import examine_store, read_stored
from phoneterm_bridge.doctor.terminals import examine_terminals
from phoneterm_bridge.settings.bridge import BridgeSettings

_Source = Callable[[], Awaitable[list[Finding]]]


async def examine_all(
    settings: BridgeSettings, config: Path | None = None, probe: ProbeLogin | None = None, is_bridge_down: bool = False
) -> list[Finding]:
    """Look at everything. probe: a terminal's login to try the broker's rules with; is_bridge_down: the caller says
    that no bridge runs, so its own login at the broker may be tried."""
    stored = read_stored(settings.store.path)
    return [
        *await _ask("settings", _wrap(lambda: examine_settings(settings, config))),
        *await _ask("store", _wrap(lambda: examine_store(settings.store.path))),
        *await _ask("history", _wrap(lambda: examine_history(settings.store.path))),
        *await _ask("terminals", _wrap(lambda: examine_terminals(settings.store.path))),
        *await _ask("disk", _wrap(lambda: examine_disk(settings.store.path))),
        *await _ask("clock", _wrap(examine_clock)),
        *await _ask("digit map", _wrap(lambda: examine_digit_map(settings.phones, settings.policy, stored))),
        *await _ask("broker", lambda: examine_broker(settings.broker, probe, is_bridge_down)),
        *await _ask("pbx", lambda: examine_pbx(settings, stored, has_heard_calls(settings.store.path))),
    ]


async def _ask(part: str, source: _Source) -> list[Finding]:
    try:
        return await source()
    except Exception as error:  # a mistake in one source must not hide what the others found
        return [Finding(UNKNOWN, part, f"This could not be looked at: {type(error).__name__}: {error}.")]


def _wrap(look: Callable[[], list[Finding]]) -> _Source:
    async def source() -> list[Finding]:
        return look()

    return source
