"""A whole installation on loopback: a PBX with phones, the bridge with its embedded broker, and one phone to use.

Does not print or ask anything; `phoneterm run` and the end-to-end tests drive it. The store is in a folder that the
caller provides and removes. Extension 101 is the phone terminal, its user is alice; 103 is the caller.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pbx_lab.lab import CONTEXT, ENDPOINTS, LabOptions, PbxLab
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.pbx.backends import make_pbx
from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.permissions.granting import set_aware_at_pbx
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BridgeSettings, load_settings
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from virtual_phone.build import USUAL, Build
from virtual_phone.client import PhoneClient, PhoneError
from virtual_phone.phone import VirtualPhone

if TYPE_CHECKING:
    from chip_lab.phone import ChipPhone

HOST = "127.0.0.1"
TID = "t101"
EXTENSION = "101"
USER = "alice"
CALLER = "103"
PBX_KINDS = ("simulator", "asterisk", "voipnow")
READY = "ready"
READY_S = 20.0
_LOOK_S = 0.05
CHIP_READY_S = 180.0  # it takes seconds to read its files, and its emulator may have to be restarted


def make_lab(kind: str, options: LabOptions | None = None) -> PbxLab:
    """Return the PBX of a kind; PartMissing when the real one is not on this machine."""
    if kind == "asterisk":
        from pbx_lab.asterisk_lab import AsteriskLab

        return AsteriskLab(options)
    if kind == "voipnow":
        from voipnow_lab.voipnow_lab import VoipNowLab

        return VoipNowLab(options, permissions="voipnow")
    if kind == "simulator":
        from pbx_simulator.simulator_lab import SimulatorLab

        return SimulatorLab(options)
    raise ValueError(f"no such PBX: {kind}")


def make_virtual_phone(settings: dict[str, str], control_port: int, build: Build = USUAL) -> VirtualPhone:
    """Return a virtual phone, whose Wi-Fi accepts any name."""
    return VirtualPhone(settings | {"wifi_ssid": "virtual"}, control_port, build)


def make_chip_phone(settings: dict[str, str], control_port: int) -> "ChipPhone":
    """Return an emulated ESP32; PartMissing at its start when the emulator is not on this machine."""
    from chip_lab.phone import ChipPhone

    return ChipPhone(settings, control_port)


# Is given the terminal's settings and the port of the control socket.
MakePhone: TypeAlias = "Callable[[dict[str, str], int], VirtualPhone | ChipPhone]"
PHONES: dict[str, MakePhone] = {"virtual": make_virtual_phone, "chip": make_chip_phone}


class Installation:
    """Everything from the key to the caller's ear; a port of 0 means any free one."""

    more_settings: tuple[str, ...] = ()  # of the bridge
    first_signal = READY  # events that the phone's start waits for
    ready_s = READY_S

    def __init__(
        self,
        lab: PbxLab,
        folder: Path,
        broker_port: int = 0,
        control_port: int = 0,
        make_phone: MakePhone = make_virtual_phone,
    ) -> None:
        self.lab = lab
        self._make_phone = make_phone
        self._folder = folder
        self._broker_port = broker_port
        self._control_port = control_port
        self._parts = AsyncExitStack()

    async def start(self, is_allowed: bool = True) -> None:
        """Start all parts and wait until the terminal has its permissions; `is_allowed`: alice's flag."""
        try:
            await self.lab.start()
            self._parts.push_async_callback(self.lab.stop)
            await self._start_bridge(is_allowed)
            await self._start_phone()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, the last started first."""
        await self._parts.aclose()

    async def _start_bridge(self, is_allowed: bool) -> None:
        self.settings = self._make_settings()
        self._fill_store(is_allowed)
        self.bridge = Bridge(self.settings, self.make_backend())
        await self.bridge.start()
        self._parts.push_async_callback(self.stop_bridge)
        self._port = self.bridge.broker_port

    def make_backend(self) -> Pbx:
        """Return the bridge's backend for the lab's PBX; it is not started."""
        return make_pbx(self.settings)

    async def stop_bridge(self) -> None:
        """Stop the bridge and its broker; everything else goes on."""
        await self.bridge.stop()

    async def restart_bridge(self) -> None:
        """Start the bridge again after `stop_bridge`, at the same port and with the same store."""
        broker = self.settings.broker.model_copy(update={"port": self._port})
        self.bridge = Bridge(self.settings.model_copy(update={"broker": broker}), self.make_backend())
        await self.bridge.start()

    def _fill_store(self, is_allowed: bool) -> None:
        engine = open_store(self.settings.store.path)
        directory = Directory(engine, "installation")
        for number in ENDPOINTS:
            user = USER if number == EXTENSION else f"user{number}"
            directory.add_user(user, is_multi_user_aware=is_allowed and number == EXTENSION)
            directory.add_extension(number, user, context=CONTEXT)
        self.enrolment = directory.add_terminal(TID, EXTENSION)
        engine.dispose()

    @property
    def bridge_settings(self) -> tuple[str, ...]:
        """The settings of the bridge, as `section.key=value`; known once started."""
        return (
            f"broker.port={self._broker_port}",
            *self.lab.bridge_settings,
            f"store.path={self._folder / 'phoneterm.db'}",
            "log.level=warning",
            *self.more_settings,
        )

    def _make_settings(self) -> BridgeSettings:
        return load_settings(None, self.bridge_settings)

    async def _start_phone(self) -> None:
        broker = self.settings.broker.model_copy(update={"port": await self._port_for_phone()})
        self.phone = self._make_phone(device_settings(self.enrolment, broker), self._control_port)
        await self.phone.start()
        self._parts.push_async_callback(self.phone.stop)
        self.keypad = await PhoneClient.connect(HOST, self.phone.control_port)
        self._parts.push_async_callback(self.keypad.close)
        await self.keypad.wait_for_signal(self.first_signal, self.ready_s)
        if self.first_signal == READY:
            await self.wait_for_configuration()

    async def wait_for_configuration(self) -> None:
        """Wait until the terminal has read its configuration; meanwhile a chip may miss keys."""
        deliveries = self.bridge.parts.updates.deliveries
        try:
            async with asyncio.timeout(self.ready_s):
                while deliveries.missing(TID):  # noqa: ASYNC110 - nobody tells when
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise PhoneError(f"the terminal has not taken its configuration within {self.ready_s:g} s") from None

    async def place_call(self) -> None:
        """Have the caller call the extension; return once they talk and the terminal knows it."""
        talking = asyncio.create_task(self.keypad.wait_for_event(lambda event: event.get("line") == "call talking"))
        await asyncio.sleep(0)  # lets the task begin to listen
        try:
            await self.lab.place_call(CALLER, EXTENSION)
            await talking
        finally:
            talking.cancel()

    async def _port_for_phone(self) -> int:
        """Return the broker's port as the phone sees it."""
        return self.bridge.broker_port

    async def set_permission(self, is_allowed: bool) -> None:
        """Flip alice's permission User is multi user aware, wherever it is; the terminal hears of it at once."""
        engine, follower = self.bridge.parts.engine, self.bridge.parts.permissions
        if follower is not None:
            await set_aware_at_pbx(follower.source, engine, USER, is_allowed, "installation", "")
        else:
            await asyncio.to_thread(Directory(engine, "installation").set_multi_user_aware, USER, is_allowed)
        await self.bridge.refresh()
