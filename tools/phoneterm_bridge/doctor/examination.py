"""Asks every source of findings, in the order a person would look. Finds nothing itself.

A source that fails is a finding too ("not known"), so that one mistake never hides the rest.
"""

from collections.abc import Awaitable, Callable, Mapping
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
from phoneterm_bridge.doctor.store import Stored, examine_store, read_stored
from phoneterm_bridge.doctor.terminals import examine_terminals
from phoneterm_bridge.settings.bridge import BridgeSettings

Source = Callable[[], Awaitable[list[Finding]]]


async def examine_all(
    settings: BridgeSettings, config: Path | None = None, probe: ProbeLogin | None = None, is_bridge_down: bool = False
) -> list[Finding]:
    """Check everything; the arguments are those of `make_sources`."""
    return await ask_all(make_sources(settings, config, probe, is_bridge_down))


def make_sources(
    settings: BridgeSettings, config: Path | None = None, probe: ProbeLogin | None = None, is_bridge_down: bool = False
) -> dict[str, Source]:
    """Return the source of each part. probe: a terminal's login to try the broker's rules with; is_bridge_down: the
    caller says that no bridge runs, so its own login at the broker may be tried."""
    path = settings.store.path
    stored = read_stored(path)
    return {
        "settings": _wrap(lambda: examine_settings(settings, config)),
        "store": _wrap(lambda: examine_store(path)),
        "history": _wrap(lambda: examine_history(path)),
        "terminals": _wrap(lambda: examine_terminals(path)),
        "disk": _wrap(lambda: examine_disk(path)),
        "clock": _wrap(examine_clock),
        "digit map": _wrap(lambda: examine_digit_map(settings.phones, settings.policy, stored)),
        "broker": lambda: examine_broker(settings.broker, probe, is_bridge_down),
        "pbx": lambda: _examine_pbx(settings, stored, path),
    }


async def _examine_pbx(settings: BridgeSettings, stored: Stored, path: Path) -> list[Finding]:
    if settings.pbx.kind == "voipnow":
        from phoneterm_bridge.doctor.voipnow import examine_voipnow
        from phoneterm_bridge.doctor.voipnow_permissions import examine_permissions

        return [*await examine_voipnow(settings.voipnow, stored), *await examine_permissions(settings, stored)]
    return await examine_pbx(settings, stored, has_heard_calls(path))


async def ask_all(sources: Mapping[str, Source]) -> list[Finding]:
    """Ask the source of each part, one after the other, and return their findings."""
    return [finding for part, source in sources.items() for finding in await _ask(part, source)]


async def _ask(part: str, source: Source) -> list[Finding]:
    try:
        return await source()
    except Exception as error:  # a mistake in one source must not hide what the others found
        return [Finding(UNKNOWN, part, f"This could not be checked: {type(error).__name__}: {error}.")]


def _wrap(look: Callable[[], list[Finding]]) -> Source:
    async def source() -> list[Finding]:
        return look()

    return source
