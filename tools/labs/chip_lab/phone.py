"""A phone with an emulated ESP32 in it: the firmware of a board on its own MicroPython, and a control socket.

Does not show lamp, tone or display: they cannot be seen at the emulator's pins. The terminal is heard by its serial
log. To report each signal too, the board's file gets an `on_signal` that prints it, unless that is not wanted. The chip
sees this computer's loopback as another host, and no other network.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from board_check.project_files import BOARDS, FIRMWARE
from firmware_build.board_image import build_image
from lab_parts import chip as part
from virtual_phone.control import ControlServer
from virtual_phone.handset import Handset
from virtual_phone.power import Power
from virtual_phone.wiring import read_wiring

from chip_lab.emulated_chip import EmulatedChip
from chip_lab.flash_file import make_flash, read_micropython
from chip_lab.serial_line import SerialLine
from chip_lab.slots import SLOTS, take_slot

BOARD = BOARDS / "ESP32_GENERIC"  # the emulator has its keypad at the pins of this board
HOST_AS_SEEN = "10.0.2.2"
ACCESS_POINT = "PICSimLabWifi"
_LOOPBACK = ("127.0.0.1", "localhost")
PRINTS_SIGNALS = b"""

def on_signal(name):
    print("signal", name)
"""
_MUTE_S = 40.0
_EMULATORS_PANIC = "panic'ed (Cache error)"
_PANICS_BEFORE_POWER_OFF = 3
_MOST_LINE_BYTES = 500


class ChipPhone(Handset):
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"; without any the board is a new one.

    has_firmware: whether the firmware is on the board already. files: further files there, by name. end_of_board: lines
    added to its board.py, b"" for the board as it is. keeps_power: through the emulator's own panics too, which end by
    themselves after six to nine starts; otherwise the power goes and comes after a few of them, and the chip forgets
    why it was reset.
    """

    def __init__(
        self,
        settings: dict[str, str],
        control_port: int = 0,
        *,
        firmware: Path = FIRMWARE,
        has_firmware: bool = True,
        end_of_board: bytes = PRINTS_SIGNALS,
        files: dict[str, bytes] | None = None,
        keeps_power: bool = False,
    ) -> None:
        super().__init__(read_wiring(BOARD))
        self.power: Power[EmulatedChip] = Power(self._boot, self._go_dark)
        self.line = SerialLine(self._send)
        self.false_starts = 0
        self._settings = _for_chip(settings) if settings else {}
        self._firmware, self._has_firmware, self._end_of_board = firmware, has_firmware, end_of_board
        self._files = files or {}
        self._keeps_power = keeps_power
        self._folder = tempfile.TemporaryDirectory(prefix="phoneterm-chip-")
        self._flash = Path(self._folder.name) / "flash.bin"
        self._program = Path()
        self._slot: int | None = None
        self._server = ControlServer(self, control_port)
        self._rest, self._has_loaded = b"", False
        self._boots = self._panics = 0
        self._signal: str | None = None
        self._wifi = {"up": True, "joined": False}
        self._mute: asyncio.TimerHandle | None = None

    @property
    def control_port(self) -> int:
        """Where the control socket listens on 127.0.0.1."""
        return self._server.port

    @property
    def port(self) -> str:
        """The serial port, for tools that work on a board over a cable."""
        return self.line.port

    async def start(self) -> None:
        """Build the flash, wait for one of the machine's two slots for a chip, and switch the power on.

        PartMissing without an emulator, OSError when the port is taken; CompileFailed names what does not compile.
        """
        self._program = part.find()
        await asyncio.to_thread(self._make_flash)
        await self._server.start()
        try:
            self._slot = await take_slot(on_wait=_say_waiting)
            self.line.open()
            await self.power.on("power")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the control socket and switch the power off for good; no process is left behind."""
        await self._server.stop()
        await self.power.close()
        self.line.close()
        if self._slot is not None:
            os.close(self._slot)
            self._slot = None
        self._folder.cleanup()

    def set_wifi(self, is_up: bool) -> None:
        """Let frames through or lose them all; the station still believes that it has joined."""
        self._wifi["up"] = is_up
        if self.power.chip is not None:
            self.power.chip.set_network(is_up)
        self.events.emit("wifi", **self._wifi)

    def state(self) -> dict[str, Any]:
        """Return everything that can be seen of the phone, as JSON values; what cannot be seen is null."""
        chip = self.power.chip
        return {
            "power": chip is not None,
            "running": chip is not None and chip.pid is not None,
            "boots": self._boots,
            "hook": "off" if self.is_off_hook else "on",
            "wifi": dict(self._wifi),
            "contacts": [list(contact) for contact in sorted(self.matrix.closed)],
            "lamp": None,
            "tone": None,
            "display": None,
            "signal": self._signal,
        }

    def _make_flash(self) -> None:
        files = dict(self._files)
        if self._has_firmware:
            with tempfile.TemporaryDirectory(prefix="phoneterm-image-") as folder:
                image = build_image(BOARD, self._firmware, Path(folder)).folder
                files |= {path.relative_to(image).as_posix(): path.read_bytes() for path in _files_below(image)}
            files["board.py"] += self._end_of_board
        make_flash(self._flash, read_micropython(part.find_files(self._program)), files, self._settings)

    async def _boot(self, cause: str) -> EmulatedChip:
        assert self._slot is not None
        chip = EmulatedChip(self._hear, self._take_end)
        self._boots += 1
        self._panics = 0
        self._rest, self._has_loaded = b"", False
        self.events.emit("reset", cause=cause, boots=self._boots)
        await chip.power_on(self._program, self._flash, self._slot, self._keys(), not self.is_off_hook)
        if not self._wifi["up"]:
            chip.set_network(False)
        return chip

    def _go_dark(self) -> None:
        self._is_heard()
        self.line.forget_unsent()
        self._signal = None
        self._wifi["joined"] = False
        self.events.emit("power-lost")

    def _start_again(self) -> None:
        """Restart the chip: the emulator's now and then hangs in its boot loader, which a real one does not."""
        self.false_starts += 1
        self.power.restart_later("power")

    def _note_panic(self) -> None:
        """Count a start that the emulator has spoilt; after a few in one run the power goes and comes."""
        self._panics += 1
        if self._keeps_power or self._panics < _PANICS_BEFORE_POWER_OFF:
            self.false_starts += 1
        elif self._panics == _PANICS_BEFORE_POWER_OFF:
            self._has_loaded = False  # should it start by itself before that, it is the same start
            self._start_again()

    def _is_heard(self) -> None:
        if self._mute is not None:
            self._mute.cancel()
            self._mute = None

    def _move_contacts(self) -> None:
        if self.power.chip is not None:
            self.power.chip.set_keys(self._keys())

    def _move_hook(self) -> None:
        if self.power.chip is not None:
            self.power.chip.set_hook(not self.is_off_hook)

    def _keys(self) -> int:
        return sum(1 << 4 * row + column for row, column in self.matrix.closed)

    def _send(self, data: bytes) -> None:
        if self.power.chip is not None:
            self.power.chip.send(data)

    def _hear(self, data: bytes) -> None:
        self.line.take_from_chip(data)
        self._is_heard()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take_line(line[:_MOST_LINE_BYTES].decode(errors="replace").rstrip("\r"))
        self._rest = self._rest[-_MOST_LINE_BYTES:]

    def _take_line(self, line: str) -> None:
        event, _, detail = line.partition(" ")
        if event == "signal":
            self._signal = detail
            self.events.emit("signal", name=detail)
            return
        if line.startswith("rst:"):
            self._note_start(line)
        elif _EMULATORS_PANIC in line:
            self._note_panic()
        elif event == "entry":  # the last word of the boot loader
            self._mute = asyncio.get_running_loop().call_later(_MUTE_S, self._start_again)
        elif event in ("wifi-up", "wifi-down"):
            self._wifi["joined"] = event == "wifi-up"
            self.events.emit("wifi", **self._wifi)
        self._take_output(line)

    def _note_start(self, line: str) -> None:
        """Report a start that nobody at the phone has caused."""
        if self._has_loaded:
            self._boots += 1
            self._signal, self._wifi["joined"] = None, False
            self.events.emit("reset", cause="watchdog" if "WDT" in line else "software", boots=self._boots)
        self._has_loaded = True

    def _take_end(self, exit_code: int) -> None:
        self.events.emit("end", exit_code=exit_code)


def _for_chip(settings: dict[str, str]) -> dict[str, str]:
    """Return the settings as a terminal in the emulator needs them: its access point, and this computer's address.

    To the chip that address is not loopback, so a broker without TLS there must be allowed.
    """
    seen = {"wifi_ssid": ACCESS_POINT}
    if settings.get("mqtt_host") in _LOOPBACK:
        seen["mqtt_host"] = HOST_AS_SEEN
        if settings.get("tls", "off") == "off":
            seen["allow_plain"] = "yes"
    return settings | seen


def _say_waiting() -> None:
    """Say why nothing happens."""
    sys.stderr.write(f"Waiting for another chip to end: {SLOTS} run on this computer already.\n")
    sys.stderr.flush()


def _files_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
