"""Looks into the PBX with its own AMI login and reports channels and bridges.

Does not change anything there. Whether a leg hears hold music comes from the PBX's events; everything else is queried.
"""

import asyncio
from collections.abc import Callable

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import ShuttingDown
from phoneterm_bridge.pbx.ami.settings import AmiSettings

from pbx_lab.lab import WAIT_S, Leg
from pbx_lab.leg_list import endpoint_of, read_legs
from pbx_lab.process import LabFailed

LOOK_EVERY_S = 0.02


class Inspector:
    """One AMI login that only looks."""

    def __init__(self, settings: AmiSettings) -> None:
        """Keep the login; nothing is connected yet."""
        self.client = AmiClient(settings, self)
        self._on_hold: set[str] = set()
        self._hung_up: set[str] = set()
        self._tones: list[tuple[str, str]] = []
        self._something_happened = asyncio.Event()

    async def start(self) -> None:
        """Connect."""
        await self.client.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self.client.stop()

    async def on_connected(self) -> None:
        """Nothing to do: questions are asked only when needed."""

    def on_disconnected(self) -> None:
        """Forget who hears hold music."""
        self._on_hold.clear()
        self._hung_up.clear()

    def on_event(self, event: Message) -> None:
        """Remember who hears hold music and who hung up, and that the legs may have changed."""
        name = event.get("Event")
        if name == "MusicOnHoldStart":
            self._on_hold.add(event.get("Uniqueid"))
        elif name in ("HangupRequest", "SoftHangupRequest"):
            self._hung_up.add(event.get("Uniqueid"))
        elif name in ("MusicOnHoldStop", "Hangup"):
            self._on_hold.discard(event.get("Uniqueid"))
        elif name == "DTMFEnd" and event.get("Direction") == "Sent" and endpoint_of(event):
            self._tones.append((endpoint_of(event), event.get("Digit")))
        if name == "Hangup":
            self._hung_up.discard(event.get("Uniqueid"))
        self._something_happened.set()

    async def legs(self) -> list[Leg]:
        """Return the phones' channels right now, without those whose phone has already hung up."""
        return read_legs(await self.client.ask_list("CoreShowChannels"), self._on_hold, self._hung_up)

    def tones(self) -> list[tuple[str, str]]:
        """Return (endpoint, digit) of every tone that was sent to a phone."""
        return list(self._tones)

    def forget_tones(self) -> None:
        """Forget the tones so far."""
        self._tones.clear()

    async def wait_until(self, is_so: Callable[[list[Leg]], bool], within_s: float = WAIT_S) -> list[Leg]:
        """Wait until the legs are as expected and return them; LabFailed shows them if that takes too long."""
        legs: list[Leg] = []
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._something_happened.clear()
                    legs = await self.legs()
                    if is_so(legs):
                        return legs
                    await self._something_happened.wait()
        except TimeoutError:
            shown = "; ".join(str(leg) for leg in legs) or "no legs"
            raise LabFailed(f"the calls were not as expected within {within_s} s: {shown}") from None

    async def wait_until_gone(self, channels: set[str]) -> None:
        """Wait until these channels are gone."""
        await self.wait_until(lambda legs: not any(leg.channel in channels for leg in legs))

    async def wait_until_refused(self) -> None:
        """Wait until the PBX refuses every action, because it is about to end; LabFailed if that takes too long."""
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    await self.client.ask("Ping")
                    await asyncio.sleep(LOOK_EVERY_S)
        except ShuttingDown:
            return
        except TimeoutError:
            raise LabFailed(f"the PBX still took actions after {WAIT_S} s") from None

    async def end_calls(self) -> None:
        """Hang up every phone, one after the other, those on hold first.

        If all hang up at once, Asterisk 22.10 sometimes crashes: a transferrer leaves while it rings, and at the same
        moment nobody is left who could get the call back.
        """
        while legs := await self.legs():
            leg = min(legs, key=lambda leg: not leg.is_on_hold)
            await self.client.ask("Hangup", [("Channel", leg.channel)])
            await self.wait_until_gone({leg.channel})

    async def variable(self, channel: str, name: str) -> str:
        """Return a channel's variable or function, "" when it has none."""
        return (await self.client.ask("Getvar", [("Channel", channel), ("Variable", name)])).get("Value")
