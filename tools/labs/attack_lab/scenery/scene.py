"""A bridge with a PBX of plain values, its store, and the terminal phone-101 of the user tech1. Judges nothing.

The bridge runs in this process, so that whoever has it can look at every part of it.
"""

from collections import deque
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from phoneterm.core import messages
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BridgeSettings, BrokerSettings, PhoneSettings, StoreSettings
from phoneterm_bridge.settings.timing import USUAL, Timing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.records import Enrolment
from phoneterm_bridge.terminals.host_clock import HostClock

from attack_lab.scenery.fake_pbx import FakePbx
from attack_lab.scenery.fake_terminal import BASE, FakeTerminal
from attack_lab.scenery.fresh_store import add_terminal, open_filled_store
from attack_lab.scenery.memory_link import MemoryLink
from attack_lab.scenery.mqtt_wire import MqttWire
from attack_lab.scenery.waiting import until

TID = "phone-101"


class Scene:
    """One bridge, on a link in memory, unless `is_embedded` selects the embedded broker or `broker` has another one's
    settings. `clock` replaces the host's clocks.
    """

    def __init__(
        self, folder: Path, is_embedded: bool = False, broker: BrokerSettings | None = None, timing: Timing = USUAL,
        clock: HostClock | None = None, **phone_settings: Any,
    ) -> None:  # fmt: skip
        self.timing, self.clock = timing, clock
        self.settings = BridgeSettings(
            broker=broker or BrokerSettings(port=0), store=StoreSettings(path=folder / "bridge.db"),
            phones=PhoneSettings(**phone_settings),
        )  # fmt: skip
        self.engine, self.enrolments = open_filled_store(self.settings.store.path, self.fill_store)
        self.enrolment = self.enrolments[TID]
        self.directory = Directory(self.engine, "test")
        self.is_on_broker = is_embedded or broker is not None
        self.wires: deque[MqttWire] = deque()

    @staticmethod
    def fill_store(engine: sa.Engine) -> dict[str, Enrolment]:
        """Fill the store that all scenes of one class begin with; return its terminals by their ids."""
        return {TID: add_terminal(engine)}

    async def start(self) -> Self:
        """Start the bridge, and return once it is on its link."""
        self.pbx = FakePbx()
        self.link = None if self.is_on_broker else MemoryLink()
        self.bridge = Bridge(self.settings, self.pbx, self.link, self.timing, self.clock)
        await self.bridge.start()
        await until(lambda: self.bridge.is_link_up, otherwise="the bridge did not come to its broker")
        return self

    async def terminal(
        self, enrolment: Enrolment | None = None, client_id: str | None = None, **options: Any
    ) -> FakeTerminal:
        """Return a terminal that is connected and subscribed, but has not said hello."""
        enrolment = enrolment or self.enrolment
        wire: MqttWire | MemoryLink | None = self.link
        if self.is_on_broker:
            wire = MqttWire(client_id, **options)
            await wire.connect(self.bridge.broker_port, enrolment.tid, enrolment.mqtt_password)
            self.wires.append(wire)
            assert max(await wire.subscribe(*messages.topic_filters(BASE, enrolment.tid))) < 0x80
        return FakeTerminal(wire, enrolment.tid, enrolment.mac_key)

    async def stop(self) -> None:
        """Stop everything."""
        for wire in self.wires:
            if not wire.is_lost:
                await wire.close()
        await self.bridge.stop()
        self.engine.dispose()
