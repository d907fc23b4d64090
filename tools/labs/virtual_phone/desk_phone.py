"""A desk phone around the simulated chip: starts the unchanged firmware, plays keypad, hook, radio, lamp and buzzer.

Does not talk to people or programs: the control socket (`control.py`) does, with the methods of this class and of
`Handset`. README.md lists the events.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab_parts import stock_modules
from lab_parts.parts import PartMissing

from virtual_phone import frames, vm
from virtual_phone.build import USUAL, Build
from virtual_phone.chip import SimulatedChip
from virtual_phone.handset import Handset
from virtual_phone.letters import read_letters
from virtual_phone.nvs_image import NvsImage
from virtual_phone.power import Power
from virtual_phone.radio import GOT_IP, Radio
from virtual_phone.state import Outputs
from virtual_phone.wired_display import WiredDisplay
from virtual_phone.wiring import read_wiring

# The value of machine.reset_cause() afterwards. The reset button (EN) also cuts the power of the real-time clock.
RESET_CAUSES = {"power": 1, "button": 1, "watchdog": 3, "software": 2, "panic": 2}
_RTC_IS_LOST = ("power", "button")


def _stock() -> tuple[Path, ...]:
    """Return the folder of the modules frozen into an image, if it is here; only safe mode needs them."""
    try:
        return (stock_modules.find(),)
    except PartMissing:
        return ()


class DeskPhone(Handset):
    """One phone. `settings` are the texts in the NVS namespace "phoneterm".

    The firmware of its build is a folder as a device has it, with the driver of its display. It is the working folder,
    and modules are imported from it as on a chip: by short names. `access_point` is (name, password); None accepts any.
    """

    def __init__(
        self, settings: dict[str, str], build: Build = USUAL, *, access_point: tuple[str, str | None] | None = None
    ) -> None:
        super().__init__(read_wiring(build.board))
        self.nvs = NvsImage(settings)
        self.power: Power[SimulatedChip] = Power(self._boot, self._go_dark)
        self._firmware = build.firmware
        self._argv, self._environment = vm.command(
            vm.FAKE_MODULES / "power_on.py", build.heap_kib, (".", build.board, *_stock()), (), build.bits
        )
        self._environment |= {
            "PHONETERM_PINS": self.wiring.pins,
            "PHONETERM_TICK_MS": str(build.tick_ms),
            "PHONETERM_MCU": self.wiring.mcu,
            "PHONETERM_UNIQUE_ID": "02" + hashlib.sha256(settings.get("tid", "").encode()).hexdigest()[:10],
            "PHONETERM_DISPLAY": build.display,
        }
        self._environment |= build.environment
        self._display = WiredDisplay(build.display, read_letters()) if build.display else None
        self._outputs = Outputs()
        self._radio = Radio(access_point)
        self._wifi = {"up": True, "joined": False}
        self._boots = 0
        self.watchdog_ms = 0  # the firmware has to feed it within this time; 0: none runs
        self._rtc = ""  # the memory of the real-time clock, in hex

    @property
    def pid(self) -> int | None:
        """The id of the chip's process while it runs."""
        return self.power.chip.pid if self.power.chip is not None else None

    @property
    def files(self) -> Path:
        """The folder with the chip's files; the firmware runs from it."""
        return self._firmware

    def set_wifi(self, is_up: bool) -> None:
        """Switch the access point."""
        self._radio.switch(is_up)
        self._tell_wifi()
        self._radio.settle()
        self._tell_wifi()

    def state(self) -> dict[str, Any]:
        """Return everything that can be seen of the phone, as JSON values."""
        return {
            "power": self.power.chip is not None,
            "running": self.pid is not None,
            "boots": self._boots,
            "hook": "off" if self.is_off_hook else "on",
            "wifi": dict(self._wifi),
            "contacts": [list(contact) for contact in sorted(self.matrix.closed)],
            **self._outputs.as_json(),
        }

    async def _boot(self, cause: str) -> SimulatedChip:
        """Start a chip that knows the settings and where everything is."""
        chip = SimulatedChip(self._take_line, self._take_output, self._take_end)
        environment = self._environment | self.nvs.environment()
        environment["PHONETERM_RESET_CAUSE"] = str(RESET_CAUSES[cause])
        if cause in _RTC_IS_LOST:
            self._rtc = ""
        if cause == "power" and self._display is not None:
            self._display.lose_power()
        environment["PHONETERM_RTC"] = self._rtc
        self._boots += 1
        self.events.emit("reset", cause=cause, boots=self._boots)
        levels = frames.matrix_frame(self.matrix.lows()) + frames.hook_frame(self.is_off_hook)
        await chip.power_on(self._argv, environment, self._firmware, levels)
        return chip

    def _go_dark(self) -> None:
        self._radio.lose_power()
        self._wifi["joined"] = False
        for name, fields in self._outputs.clear():
            self.events.emit(name, **fields)
        self.events.emit("power-lost")

    def _move_contacts(self) -> None:
        if self.power.chip is not None:
            self.power.chip.run_at_once()  # a key that it is kept from seeing is lost
        self._send(frames.matrix_frame(self.matrix.lows()))

    def _move_hook(self) -> None:
        self._send(frames.hook_frame(self.is_off_hook))

    def _send(self, frame: bytes) -> None:
        if self.power.chip is not None:
            self.power.chip.send(frame)

    def _take_radio(self, name: str, fields: Sequence[str]) -> None:
        """The station wants to join, or to leave."""
        if name == "wifi-join":
            self._radio.join(*fields)
        else:
            self._radio.leave()
        self._tell_wifi()
        self._radio.settle()
        self._tell_wifi()

    def _tell_wifi(self) -> None:
        """Tell the chip its status, and tell listeners if it has changed."""
        self._send(frames.wifi_frame(self._radio.status))
        wifi = {"up": self._radio.is_up, "joined": self._radio.status == GOT_IP}
        if wifi != self._wifi:
            self._wifi = wifi
            self.events.emit("wifi", **wifi)

    def _take_end(self, exit_code: int) -> None:
        """The firmware ended by itself: the phone stays dead until somebody resets it, or MicroPython crashed."""
        self.power.feed_watchdog(0)
        self.events.emit("end", exit_code=exit_code)
        if exit_code < 0:  # ended by a signal, for example a fault in the interpreter: a chip panics and restarts
            self.power.restart_later("panic")

    def _read_display(self, written: frames.Report) -> frames.Report:
        """Return what the display shows after a write to its bus, or a warning about what it does not understand."""
        if self._display is None:
            return frames.Report("warning", ("the chip wrote to a display that is not there",))
        try:
            return frames.Report("display", self._display.feed(written.fields[0]))
        except ValueError as error:
            return frames.Report("warning", (f"the display: {error}",))

    def _take_line(self, line: bytes) -> None:
        report = frames.parse_report(line)
        if report is None:
            self._take_output("the chip sent a line that means nothing")
            return
        if report.name == "bus":
            report = self._read_display(report)
        name, fields = report
        shown = self._outputs.apply(report)
        if shown:
            self.events.emit(name, **shown)
        elif name in ("wifi-join", "wifi-leave"):
            self._take_radio(name, fields)
        elif name == "nvs-set":
            self.nvs.set_hex(*fields)
        elif name == "nvs-erase":
            self.nvs.erase(*fields)
        elif name == "watchdog":
            self.watchdog_ms = int(fields[0]) if fields[0].isdecimal() else self.watchdog_ms
            self.power.feed_watchdog(self.watchdog_ms)
        elif name == "rtc":
            self._rtc = fields[0]
        elif name == "reset":
            self.power.restart_later("software")
        elif name == "warning":
            self._take_output(fields[0])
