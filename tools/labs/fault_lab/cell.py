"""One installation that can be broken anywhere: virtual phone, proxy, broker, proxy, bridge in its own process, PBX.

Does not decide what breaks when. These parts are real: the firmware as a device gets it, on MicroPython; mosquitto, or
the broker that the bridge embeds; the bridge with its store and its AMI client. These are simulated: the chip's pins
and radio, and the PBX, which outlives the bridge. The phone is restarted for every run; the other parts keep their
state.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from lab_parts.free_port import free_port
from lab_parts.parts import Part
from link_lab.mosquitto import Mosquitto
from pbx_lab.process import LabFailed
from phoneterm.core import messages
from virtual_phone.build import Build
from virtual_phone.desk_phone import DeskPhone

from fault_lab import plan as plans
from fault_lab.bridge_process import BridgeProcess, Nursery
from fault_lab.cell_store import CellStore
from fault_lab.counting_lab import CountingLab
from fault_lab.faults import DOWN, UP
from fault_lab.mqtt_stream import WirePacket
from fault_lab.proxy import FaultProxy

BASE = "phoneterm"
TID = "t101"
USER, CALLER, COLLEAGUE = "101", "103", "102"
_BRIDGE_LOGIN = ("the-bridge", "a password on loopback")


class Cell:
    """The parts and their events: `on_step` is called with each step of a command as it happens."""

    def __init__(self, part: Part | None, nursery: Nursery, image: Path, folder: Path) -> None:
        """Take mosquitto, or None for the broker that the bridge embeds; the folder is for the store and the log."""
        self._part = part
        self._nursery = nursery
        self._image = image
        self._folder = folder
        self.store = CellStore(folder / "phoneterm.db")
        self._parts = AsyncExitStack()
        self._mosquitto: Mosquitto | None = None
        self.on_step: Callable[[str], None] = _ignore_step
        self.lab = CountingLab(lambda step: self.on_step(step))
        self.proxies: dict[str, FaultProxy] = {}
        self.phone: DeskPhone | None = None
        self.told_talking = 0
        self.phone_log: list[str] = []
        self.lines: list[tuple[float, str]] = []
        self.signals: list[tuple[float, str]] = []

    async def start(self) -> None:
        """Start everything but the phone."""
        await self.lab.start()
        self._parts.push_async_callback(self.lab.stop)
        self._enrolment = self.store.fill(TID, USER)
        broker_port = await self._start_broker()
        self.bridge = BridgeProcess(self._nursery, self._bridge_settings(broker_port), self._folder / "bridge.log")
        await self.bridge.start()
        self._parts.push_async_callback(self._end_bridge)

    async def stop(self) -> None:
        """Stop everything."""
        await self.power_off()
        await self._parts.aclose()

    async def power_on(self) -> None:
        """Start a phone that knows nothing yet."""
        self.told_talking = 0
        self.lines, self.signals = [], []
        texts = {
            "wifi_ssid": "virtual", "tid": TID, "mqtt_host": "127.0.0.1", "base": BASE,
            "mqtt_port": str(self.proxies[plans.TERMINAL_SIDE].port), "mqtt_password": self._enrolment.mqtt_password,
            "mac_key": self._enrolment.mac_key.hex(),
        }  # fmt: skip
        self.phone = DeskPhone(texts, Build(self._image))
        self.phone.events.listen(self._take_event)
        await self.phone.power.on("power")

    async def power_off(self) -> None:
        """Cut the phone's power for good."""
        if self.phone is not None:
            self.phone_log = list(self.phone.log_lines)
            await self.phone.power.close()
            self.phone = None

    @property
    def signal(self) -> str:
        """The signal of the phone's lamp and buzzer right now."""
        return self.signals[-1][1] if self.signals else ""

    @property
    def is_quiet(self) -> bool:
        """Say whether no packet is being delayed."""
        return not any(proxy.held for proxy in self.proxies.values())

    async def break_down(self, outage: plans.Outage) -> None:
        """Kill and restart what the outage names; or end the call and make the next one."""
        if outage.what == "call":
            with suppress(LabFailed):
                await self.lab.hang_up(CALLER)
                await self.lab.place_call(CALLER, USER)
            return
        if outage.what == "bridge":
            self.bridge.kill()
            await self.bridge.wait_gone()
            await asyncio.sleep(outage.down_s)
            await self.bridge.start()
        elif self._mosquitto is not None:
            await self._mosquitto.stop()
            await asyncio.sleep(outage.down_s)
            await self._mosquitto.start()

    async def _start_broker(self) -> int:
        """Start the broker and the proxies; return the port that the bridge uses."""
        if self._part is None:
            port = free_port()
            await self._start_proxy(plans.TERMINAL_SIDE, port, self._watch_embedded)
            return port
        users = {TID: self._enrolment.mqtt_password, _BRIDGE_LOGIN[0]: _BRIDGE_LOGIN[1]}
        self._mosquitto = Mosquitto(self._part, users, _access())
        self._parts.push_async_callback(self._mosquitto.remove)
        await self._mosquitto.start()
        await self._start_proxy(plans.TERMINAL_SIDE, self._mosquitto.port, self._watch_terminal)
        return (await self._start_proxy(plans.BRIDGE_SIDE, self._mosquitto.port, self._watch_bridge)).port

    async def _start_proxy(self, side: str, port: int, watch: Callable[[str, str, WirePacket], None]) -> FaultProxy:
        proxy = self.proxies[side] = FaultProxy(port, watch)
        await proxy.start()
        self._parts.push_async_callback(proxy.stop)
        return proxy

    async def _end_bridge(self) -> None:
        self.bridge.kill()
        await self.bridge.wait_gone()

    def _bridge_settings(self, port: int) -> list[str]:
        ami = self.lab.ami
        name, password = _BRIDGE_LOGIN
        return [
            f"broker.embedded={self._part is None}", f"broker.port={port}", f"broker.username={name}",
            f"broker.password={password}", f"broker.base={BASE}", f"pbx.host={ami.host}", f"pbx.port={ami.port}",
            f"pbx.username={ami.username}", f"pbx.secret={ami.secret}", f"store.path={self.store.path}",
            f"phones.ttl_ms={plans.TTL_S * 1000:.0f}", "log.level=info",
        ]  # fmt: skip

    def _take_event(self, event: dict[str, Any]) -> None:
        now_ms = time.monotonic() * 1000
        if event["event"] == "signal" and event["name"]:
            self.signals.append((now_ms, event["name"]))
        elif event["event"] == "display" and event["lines"]:
            self.lines.append((now_ms, event["lines"][0]))

    def _watch_terminal(self, stage: str, way: str, packet: WirePacket) -> None:
        if way == UP and stage == "seen" and packet.topic.endswith(messages.COMMAND):
            self.on_step(plans.SENT)
        elif way == DOWN and stage == "passed" and packet.topic.endswith(messages.RESULT):
            self.on_step(plans.RESULT_TOLD)
        elif way == DOWN and stage == "passed" and packet.topic.endswith(messages.CALL):
            document = json.loads(packet.payload.partition(b"\n")[0])
            self.told_talking += document["state"] == "talking"

    def _watch_bridge(self, stage: str, way: str, packet: WirePacket) -> None:
        if way == DOWN and packet.topic.endswith(messages.COMMAND):
            self.on_step(plans.ARRIVES if stage == "seen" else plans.ARRIVED)
        elif way == UP and stage == "seen" and packet.topic.endswith(messages.RESULT):
            self.on_step(plans.RESULT_SENT)

    def _watch_embedded(self, stage: str, way: str, packet: WirePacket) -> None:
        """With the embedded broker, the terminal's connection is also the bridge's."""
        self._watch_terminal(stage, way, packet)
        self._watch_bridge(stage, DOWN if way == UP else UP, packet)


def _ignore_step(step: str) -> None:
    pass


def _access() -> str:
    """Return mosquitto's access rules: the contract's own, for any terminal and the bridge."""
    own = messages.topic_of(BASE, "%u", messages.HELLO).removesuffix(messages.HELLO)
    return (
        f"user {_BRIDGE_LOGIN[0]}\ntopic readwrite {BASE}/#\npattern write {own}up/#\npattern read {own}down/#\n"
        f"pattern read {messages.topic_of(BASE, '', messages.BRIDGE_STATE)}\n"
    )
