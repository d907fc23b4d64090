"""A whole installation with an emulated chip. A proxy between chip and broker watches, and can be cut.

Does not measure anything. It watches whole MQTT packets; without TLS their content is signed, but not hidden.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desk_lab.installation import CHIP_READY_S, Installation, make_lab
from fault_lab.faults import UP
from fault_lab.mqtt_stream import WirePacket
from fault_lab.proxy import FaultProxy
from pbx_lab.lab import Leg
from pbx_lab.process import LabFailed

from chip_lab.phone import ChipPhone

_MOST_AGAIN = 4
_PAUSE_S = 1  # within 0.7 s of a finished sequence the terminal takes further keys as the rest of that sequence

# Is called with the direction, the topic and the document of every message that passes.
Watcher = Callable[[str, str, dict[str, Any]], None]


class ChipInstallation(Installation):
    """An installation with the PBX simulator. `phone_options` go to ChipPhone."""

    phone: ChipPhone
    ready_s = CHIP_READY_S

    def __init__(self, folder: Path, **phone_options: Any) -> None:
        super().__init__(make_lab("simulator"), folder, make_phone=self._make_chip)
        self._phone_options = phone_options
        self._watchers: list[Watcher] = []
        self.proxy: FaultProxy

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with every message from now on; return a function that ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    async def key_until(self, keys: str, is_so: Callable[[list[Leg]], bool]) -> int:
        """Key a transfer until the calls are as wanted, and return how often it had to be keyed again.

        On a busy computer a terminal may be kept from its keypad for too long, and then asks for that.
        """
        for again in range(_MOST_AGAIN):
            await self.keypad.type(keys)
            with contextlib.suppress(LabFailed):
                await self.lab.wait_until(is_so)
                return again
            await self.keypad.type("C")
            await asyncio.sleep(_PAUSE_S)
        await self.keypad.type(keys)
        await self.lab.wait_until(is_so)
        return _MOST_AGAIN

    def _make_chip(self, settings: dict[str, str], control_port: int) -> ChipPhone:
        return ChipPhone(settings, control_port, **self._phone_options)

    async def _port_for_phone(self) -> int:
        self.proxy = FaultProxy(self.bridge.broker_port, self._on_packet)
        await self.proxy.start()
        self._parts.push_async_callback(self.proxy.stop)
        return self.proxy.port

    def _on_packet(self, stage: str, direction: str, packet: WirePacket) -> None:
        """Report a message as soon as it arrives, or once it has been passed on to the phone."""
        if packet.name != "PUBLISH" or stage != ("seen" if direction == UP else "passed"):
            return
        try:
            document = json.loads(packet.payload.partition(b"\n")[0] or b"{}")
        except ValueError:
            return
        for watcher in tuple(self._watchers):
            watcher(direction, packet.topic, document)
