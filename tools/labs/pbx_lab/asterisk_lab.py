"""A PbxLab with a real Asterisk and SIPp phones.

Does not fake anything: calls are SIP, and the legs are Asterisk's own channels and bridges.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from functools import partial

from lab_parts import parts
from phoneterm_bridge.pbx.ami.settings import AmiSettings

from pbx_lab import sip
from pbx_lab.asterisk_server import AsteriskServer
from pbx_lab.guard import Guard
from pbx_lab.inspector import Inspector
from pbx_lab.lab import (
    BEHAVIOURS,
    ENDPOINTS,
    TRANSFER_CONTEXTS,
    TRUNK,
    WAIT_S,
    LabOptions,
    Leg,
    describe_manager,
    settings_for,
)
from pbx_lab.phones import Phones
from pbx_lab.process import LabFailed

REGISTER_TRIES = 200
TELL_TRIES = 4
TELL_AGAIN_S = 1.0


class AsteriskLab:
    """See PbxLab. Raises PartMissing at once when Asterisk or SIPp is not on this machine."""

    def __init__(self, options: LabOptions | None = None) -> None:
        """Find the parts; nothing is started yet."""
        self._guard = Guard()
        options = options or LabOptions()
        self.context = TRANSFER_CONTEXTS[options.dialplan]
        self._server = AsteriskServer(parts.find("asterisk"), options, self._guard)
        self._phones = Phones(parts.find("sipp"), self._server.sip_port, self._guard)
        self._inspector = Inspector(self._server.inspector)
        self._behaviours: dict[str, str] = {}

    @property
    def ami(self) -> AmiSettings:
        """The login a bridge uses."""
        return self._server.ami

    @property
    def bridge_settings(self) -> tuple[str, ...]:
        """The settings of a bridge for this PBX."""
        return settings_for(self.ami)

    @property
    def where(self) -> str:
        """Where a bridge finds it, for people."""
        return describe_manager(self.ami)

    @property
    def sip_port(self) -> int:
        """The UDP port of 127.0.0.1 where Asterisk speaks SIP."""
        return self._server.sip_port

    async def start(self) -> None:
        """Start Asterisk and the phones that answer; LabFailed says what did not start."""
        await self._guard.start()
        try:
            await self._server.start()
            self._phones.start()
            await self._inspector.start()
            for endpoint in (*ENDPOINTS, TRUNK):
                await self.set_behaviour(endpoint, "answer")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything that was started and remove its folders."""
        await self._inspector.stop()
        await self._phones.stop()
        await self._server.stop()
        await self._guard.stop()

    async def place_call(self, caller: str, callee: str) -> None:
        """Call a number from a phone; returns when it is answered, or rings at a phone set to ring."""
        before = {leg.channel for leg in await self.legs()}
        process = await self._phones.call(caller, callee)
        placed = asyncio.create_task(self.wait_until(lambda legs: self._is_placed(legs, before, caller, callee)))
        refused = asyncio.create_task(process.wait())
        try:
            await asyncio.wait((placed, refused), return_when=asyncio.FIRST_COMPLETED)
            if not placed.done():
                raise LabFailed(f"the call from {caller} to {callee} was refused.")
            await placed
        finally:
            placed.cancel()
            refused.cancel()

    def _is_placed(self, legs: list[Leg], before: set[str], caller: str, callee: str) -> bool:
        new = [leg for leg in legs if leg.channel not in before]
        own = next((leg for leg in new if leg.endpoint == caller), None)
        if own is None or self._behaviours.get(callee) == "ring":
            return own is not None and any(leg.endpoint == callee and leg.state == "ringing" for leg in new)
        return own.state == "up" and (own.connected_to != "" or len(new) == 1)

    async def hang_up(self, endpoint: str) -> None:
        """Hang up every call at this phone; returns when Asterisk has seen the BYE."""
        channels = {leg.channel for leg in await self.legs() if leg.endpoint == endpoint}
        if not channels:
            raise LabFailed(f"{endpoint} has no call to hang up.")
        for channel in channels:
            await self._tell_until(channel, partial(_is_gone, channel))

    async def answer(self, endpoint: str) -> None:
        """Pick up the ringing call at this phone; returns when Asterisk has seen the answer."""
        ringing = [leg.channel for leg in await self.legs() if leg.endpoint == endpoint and leg.state == "ringing"]
        if not ringing:
            raise LabFailed(f"nothing rings at {endpoint}.")
        await self._tell_until(
            ringing[0], lambda legs: any(leg.channel == ringing[0] and leg.state == "up" for leg in legs)
        )

    async def hold(self, endpoint: str) -> None:
        """Put this phone's call on hold, once in each call; returns when the other party hears music."""
        await self._press(endpoint, sip.HOLD_KEY, True)

    async def unhold(self, endpoint: str) -> None:
        """Take this phone's call back from hold."""
        await self._press(endpoint, sip.RELEASE_KEY, False)

    async def _press(self, endpoint: str, key: str, is_on: bool) -> None:
        legs = await self.legs()
        own = [leg for leg in legs if leg.endpoint == endpoint and leg.connected_to]
        if not own:
            raise LabFailed(f"{endpoint} talks to nobody.")
        others = {leg.channel for leg in legs if leg.bridge == own[0].bridge} - {own[0].channel}
        await self._tell_until(
            own[0].channel, lambda legs: all(leg.is_on_hold is is_on for leg in legs if leg.channel in others), key
        )

    async def restart(self) -> None:
        """Crash and restart the PBX, with the same phones and without any call."""
        await self._inspector.stop()
        await self._server.stop()
        await self._server.start()
        self._inspector = Inspector(self._server.inspector)
        await self._inspector.start()
        behaviours, self._behaviours = self._behaviours, {}
        for endpoint, behaviour in behaviours.items():
            await self.set_behaviour(endpoint, behaviour)

    async def change_codes(self, codes: Mapping[str, str]) -> None:
        """Set all feature codes (atxfer, atxferabort, atxfercomplete, atxferswap) and reload them; calls go on."""
        await self._server.write_codes(codes)

    async def begin_restart(self) -> None:
        """Have the PBX wait for its last call to restart; returns when it refuses every action of AMI."""
        await self._server.begin_command("core restart gracefully")
        await self._inspector.wait_until_refused()

    async def abort_restart(self) -> None:
        """Take that back."""
        await self._server.run_command("core abort shutdown")
        await self._server.end_command()

    async def change_rights(self, write: str) -> None:
        """Set the write classes of the bridge's login; they count from its next login on."""
        await self._server.write_rights(write)

    async def set_playing(self, is_possible: bool) -> None:
        """Load, or unload, the module with the action PlayDTMF."""
        await self._server.run_command(f"module {'load' if is_possible else 'unload'} app_senddtmf.so")

    def tones(self) -> list[tuple[str, str]]:
        """Return (endpoint, digit) of every tone that the PBX sent to a phone since `clear`."""
        return self._inspector.tones()

    async def set_behaviour(self, endpoint: str, behaviour: str) -> None:
        """Set what this phone does with the next call: it registers with the SIPp of that behaviour, or nowhere."""
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"no phone can {behaviour!r}")
        port = None if behaviour == "unavailable" else await self._phones.port_of(behaviour)
        for _ in range(REGISTER_TRIES):  # right after its start Asterisk takes a moment to answer SIP
            status = await sip.register(endpoint, port, self._server.sip_port)
            if " 200 " in status:
                self._behaviours[endpoint] = behaviour
                return
            await asyncio.sleep(0.05)
        raise LabFailed(f"Asterisk did not take the registration of {endpoint}: {status or 'no answer'}")

    async def legs(self) -> list[Leg]:
        """Return the phones' channels right now."""
        return await self._inspector.legs()

    async def wait_until(self, is_so: Callable[[list[Leg]], bool], within_s: float = WAIT_S) -> list[Leg]:
        """Wait until the legs are as expected and return them; LabFailed shows them if that takes too long."""
        return await self._inspector.wait_until(is_so, within_s)

    async def variable(self, channel: str, name: str) -> str:
        """Return a variable of a channel, "" when it has none."""
        return await self._inspector.variable(channel, name)

    async def write_database(self, family: str, key: str, value: str) -> None:
        """Write a value into AstDB, where FreePBX keeps what extensions have of their own."""
        await self._inspector.client.ask("DBPut", [("Family", family), ("Key", key), ("Val", value)])

    async def clear(self) -> None:
        """End every call and have all phones answer again."""
        await self._inspector.end_calls()
        self._inspector.forget_tones()
        for endpoint in (*ENDPOINTS, TRUNK):
            if self._behaviours.get(endpoint) != "answer":
                await self.set_behaviour(endpoint, "answer")

    async def _tell_until(self, channel: str, is_so: Callable[[list[Leg]], bool], method: str = sip.HANDSET) -> None:
        """Tell a channel's SIPp call that its user acts, and repeat that: it is only a datagram, and SIPp may not be
        ready although Asterisk takes the phone for answered."""
        for _ in range(TELL_TRIES):
            await self._tell(channel, method)
            with contextlib.suppress(LabFailed):
                await self.wait_until(is_so, TELL_AGAIN_S)
                return
        await self.wait_until(is_so)

    async def _tell(self, channel: str, method: str) -> None:
        """Tell the SIPp call behind a channel that its user acts."""
        call_id = await self._inspector.variable(channel, "CHANNEL(pjsip,call-id)")
        contact = await self._inspector.variable(channel, "CHANNEL(pjsip,target_uri)")
        port = re.search(r"@127\.0\.0\.1:([0-9]+)", contact)
        if not call_id or port is None:
            raise LabFailed(f"the channel {channel} ended before its user could act")
        sip.tell_call(call_id, int(port[1]), method)


def _is_gone(channel: str, legs: list[Leg]) -> bool:
    return all(leg.channel != channel for leg in legs)
