"""The parts of the running bridge that the console asks. Asks none of them itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import sqlalchemy as sa

from phoneterm_bridge.health.health import Health
from phoneterm_bridge.pbx.permissions import PermissionSource
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.terminals.sessions import Sessions
from phoneterm_bridge.terminals.sightings import Sightings
from phoneterm_bridge.terminals.telemetry import Telemetry
from phoneterm_bridge.terminals.troubles import Troubles
from phoneterm_bridge.terminals.updates import TerminalUpdates


@dataclass(frozen=True)
class Sources:
    """refresh: takes over changes in the store at once, and tells the terminals that they concern. permission_source:
    the PBX, where it is the one to say who is multi user aware."""

    settings: BridgeSettings
    engine: sa.Engine
    directory: LiveDirectory
    sessions: Sessions
    sightings: Sightings
    telemetry: Telemetry
    troubles: Troubles
    updates: TerminalUpdates
    health: Health
    refresh: Callable[[], Awaitable[None]]
    permission_source: PermissionSource | None = None
