"""A PbxLab with the simulated PBX inside, for machines without Asterisk.

Does not start any process. Its legs are read over AMI, like those of the real Asterisk.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from pbx_lab.inspector import Inspector
from pbx_lab.lab import (
    BEHAVIOURS,
    TRANSFER_CONTEXTS,
    WAIT_S,
    LabOptions,
    Leg,
    describe_manager,
    settings_for,
)
from pbx_lab.process import LabFailed
from phoneterm_bridge.pbx.ami.settings import AmiSettings

from pbx_simulator.ami_actions import CLASSES, AmiActions
from pbx_simulator.ami_server import AmiServer
from pbx_simulator.exchange import Exchange
from pbx_simulator.parties import Channel, Pairs

STARTING_S = 0.5


class SimulatorLab:
    """See PbxLab."""

    def __init__(self, options: LabOptions | None = None) -> None:
        """Nothing listens yet."""
        self._secret = secrets.token_hex(12)
        self._options = options or LabOptions()
        self.context = TRANSFER_CONTEXTS[self._options.dialplan]
        self._port = 0
        self._inspector: Inspector | None = None
        self._make_pbx()

    def _make_pbx(self) -> None:
        logins = [AmiSettings("127.0.0.1", 0, name, self._secret) for name in ("phoneterm", "lab")]
        if not self._options.permits_bridge:
            del logins[0]  # like Asterisk, which does not tell a login that may not come from there from a wrong one
        self.exchange = Exchange(self._options, self._emit)
        self.actions = AmiActions(self.exchange)
        self.server = AmiServer(logins, self.actions.act, self._has_right)
        self.server.allows_second_login = self._options.allows_second_login
        self.server.hears_calls = self._hears_calls

    @property
    def ami(self) -> AmiSettings:
        """The login a bridge uses."""
        return AmiSettings("127.0.0.1", self._port, "phoneterm", self._secret)

    @property
    def bridge_settings(self) -> tuple[str, ...]:
        """The settings of a bridge for this PBX."""
        return settings_for(self.ami)

    @property
    def where(self) -> str:
        """Where a bridge finds it, for people."""
        return describe_manager(self.ami)

    async def start(self) -> None:
        """Open the AMI port; all phones answer."""
        if self._options.starts_slowly:
            self.actions.can_play = False
            asyncio.get_running_loop().call_later(STARTING_S, setattr, self.actions, "can_play", True)
        self._port = await self.server.start()
        await self._start_looking()

    async def _start_looking(self) -> None:
        self._inspector = Inspector(AmiSettings("127.0.0.1", self._port, "lab", self._secret))
        await self._inspector.start()

    async def stop(self) -> None:
        """Close everything."""
        if self._inspector is not None:
            await self._inspector.stop()
        self.exchange.close()
        await self.server.stop()

    async def place_call(self, caller: str, callee: str) -> None:
        """Call a number from a phone; returns when it is answered, or rings at a phone set to ring."""
        channel = self.exchange.place_call(caller, callee)
        rings = self.exchange.behaviours.get(callee) == "ring"

        def is_placed(legs: list[Leg]) -> bool:
            if channel.is_gone:
                raise LabFailed(f"the call from {caller} to {callee} was refused.")
            if rings:
                return any(leg.endpoint == callee and leg.state == "ringing" for leg in legs)
            return channel.state == "Up"

        await self.wait_until(is_placed)

    async def hang_up(self, endpoint: str) -> None:
        """Hang up every call at this phone."""
        channels = self._channels_of(endpoint)
        if not channels:
            raise LabFailed(f"{endpoint} has no call to hang up.")
        for channel in channels:
            self.exchange.hang_up(channel)
        await self._looking().wait_until_gone({channel.name for channel in channels})

    async def answer(self, endpoint: str) -> None:
        """Pick up the ringing call at this phone."""
        ringing = [channel for channel in self._channels_of(endpoint) if channel.state == "Ringing"]
        if not ringing:
            raise LabFailed(f"nothing rings at {endpoint}.")
        self.exchange.pick_up(ringing[0])

    async def hold(self, endpoint: str) -> None:
        """Put this phone's call on hold."""
        self.exchange.hold(self._talking(endpoint), True)

    async def unhold(self, endpoint: str) -> None:
        """Take this phone's call back from hold."""
        self.exchange.hold(self._talking(endpoint), False)

    async def restart(self) -> None:
        """Crash and restart the PBX, with the same phones and without any call."""
        await self._looking().stop()
        self.exchange.close()
        await self.server.stop()
        behaviours = self.exchange.behaviours
        self._make_pbx()
        self.exchange.behaviours = behaviours
        await self.server.start(self._port)
        await self._start_looking()

    async def change_codes(self, codes: Mapping[str, str]) -> None:
        """Set all feature codes (atxfer, atxferabort, atxfercomplete, atxferswap) and reload them; calls go on."""
        self.exchange.codes = dict(codes)
        if "system" in self._options.ami_read.split(","):
            self._emit("Reload", [("Module", "features"), ("Status", "0")])

    async def begin_restart(self) -> None:
        """Have the PBX wait for its last call to restart; returns when it refuses every action of AMI."""
        self.server.is_shutting_down = True

    async def abort_restart(self) -> None:
        """Take that back."""
        self.server.is_shutting_down = False

    async def change_rights(self, write: str) -> None:
        """Set the write classes of the bridge's login; here they count at once."""
        self._options = replace(self._options, ami_write=write)

    async def set_playing(self, is_possible: bool) -> None:
        """Load, or unload, the module with the action PlayDTMF."""
        self.actions.can_play = is_possible

    def tones(self) -> list[tuple[str, str]]:
        """Return (endpoint, digit) of every tone that the PBX sent to a phone since `clear`."""
        return self._looking().tones()

    async def set_behaviour(self, endpoint: str, behaviour: str) -> None:
        """Set what this phone does with the next call."""
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"no phone can {behaviour!r}")
        self.exchange.behaviours[endpoint] = behaviour

    async def legs(self) -> list[Leg]:
        """Return the phones' channels right now."""
        return await self._looking().legs()

    async def wait_until(self, is_so: Callable[[list[Leg]], bool], within_s: float = WAIT_S) -> list[Leg]:
        """Wait until the legs are as expected and return them; LabFailed shows them if that takes too long."""
        return await self._looking().wait_until(is_so, within_s)

    async def variable(self, channel: str, name: str) -> str:
        """Return a variable of a channel, "" when it has none."""
        return await self._looking().variable(channel, name)

    async def write_database(self, family: str, key: str, value: str) -> None:
        """Write a value into AstDB, where FreePBX keeps what extensions and trunks have of their own."""
        self.exchange.database[family, key] = value

    async def clear(self) -> None:
        """End every call and have all phones answer again."""
        self.exchange.behaviours.update(dict.fromkeys(self.exchange.behaviours, "answer"))
        await self._looking().end_calls()
        self._looking().forget_tones()

    def _looking(self) -> Inspector:
        if self._inspector is None:
            raise ValueError("the lab has not been started")
        return self._inspector

    def _talking(self, endpoint: str) -> Channel:
        found = [channel for channel in self._channels_of(endpoint) if channel.bridge is not None]
        if not found:
            raise LabFailed(f"{endpoint} talks to nobody.")
        return found[0]

    def _channels_of(self, endpoint: str) -> list[Channel]:
        channels = self.exchange.parties.channels
        return [channel for channel in channels if channel.endpoint == endpoint]

    def _has_right(self, username: str, action: str) -> bool:
        """Say whether a login may use an action: the bridge's has the classes of the options."""
        needed = CLASSES.get(action.lower(), "")
        has = set(self._options.ami_write.split(",")) if username == "phoneterm" else set(needed.split(","))
        return not needed or bool(has & {*needed.split(","), "all"})

    def _hears_calls(self, username: str) -> bool:
        """Say whether a login hears of calls: the bridge's has the classes of the options."""
        return username != "phoneterm" or bool({"call", "all"} & set(self._options.ami_read.split(",")))

    def _emit(self, name: str, pairs: Pairs) -> None:
        self.server.emit(name, pairs)
