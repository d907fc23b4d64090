"""A desk phone around the simulated chip: starts the untouched firmware, plays keypad, hook, radio, lamp and buzzer.

Does not talk to people or programs: the control socket (`control.py`) does, with the methods of this class.
Times are milliseconds of this computer's monotonic clock; README.md lists the events. Methods run on the event loop
that switched the power on.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab_parts import stock_modules
from lab_parts.parts import PartMissing

from virtual_phone import frames, vm
from virtual_phone.chip import Chip
from virtual_phone.events import Events, now_ms
from virtual_phone.keystrokes import Keystroke, plan_keystrokes
from virtual_phone.matrix import ContactMatrix
from virtual_phone.nvs_image import NvsImage
from virtual_phone.power import Power
from virtual_phone.radio import GOT_IP, Radio
from virtual_phone.state import Outputs
from virtual_phone.wiring import read_wiring

_ROOT = Path(__file__).parents[2]
FIRMWARE = _ROOT / "firmware"
BOARD = _ROOT / "boards" / "VIRTUAL"
MOST_LOG_LINES = 1000
# What machine.reset_cause() says afterwards. The reset button (EN) takes the power of the real-time clock away too.
RESET_CAUSES = {"power": 1, "button": 1, "watchdog": 3, "software": 2, "panic": 2}
_RTC_IS_LOST = ("power", "button")


def _stock() -> tuple[Path, ...]:
    """Return the folder of what an image has frozen in, if it is here; only safe mode misses it."""
    try:
        return (stock_modules.find(),)
    except PartMissing:
        return ()


class DeskPhone:
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"; `bits` and `environment` are its chip's.

    The firmware's own folder is the working folder, and is imported from as on a chip: by short names.
    """

    def __init__(
        self,
        settings: dict[str, str],
        heap_kib: int = 160,
        *,
        firmware: Path = FIRMWARE,
        board: Path = BOARD,
        access_point: tuple[str, str] | None = None,
        bits: int = 64,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.wiring = read_wiring(board)
        self.log_lines: deque[str] = deque(maxlen=MOST_LOG_LINES)
        self.nvs = NvsImage(settings)
        self.matrix = ContactMatrix()
        self.events = Events()
        self.power = Power(self._boot, self._go_dark)
        self._firmware = firmware
        self._argv, self._environment = vm.command(
            vm.FAKE_MODULES / "power_on.py", heap_kib, (".", board, *_stock()), (), bits
        )
        self._environment |= {
            "PHONETERM_PINS": self.wiring.pins,
            "PHONETERM_UNIQUE_ID": "02" + hashlib.sha256(settings.get("tid", "").encode()).hexdigest()[:10],
        }
        self._environment |= environment or {}
        self._outputs = Outputs()
        self._radio = Radio(access_point)
        self._wifi = {"up": True, "joined": False}
        self._is_off_hook = False
        self._boots = 0
        self._watchdog_ms = 0
        self._rtc = ""  # its memory, in hex

    @property
    def pid(self) -> int | None:
        """The process of the chip, while it runs."""
        return self.power.chip.pid if self.power.chip is not None else None

    def set_contact(self, row: int, column: int, is_closed: bool) -> None:
        """Close or open one contact."""
        self.matrix.set_closed(row, column, is_closed)
        self._send(frames.matrix_frame(self.matrix.lows()))
        legend = self.wiring.legend(row, column)
        self.events.emit("contact", row=row, column=column, legend=legend, closed=is_closed)

    def set_key(self, legend: str, is_down: bool) -> None:
        """Press or let go of one key."""
        position = self.wiring.position(legend)
        if position is None:
            raise ValueError(f"there is no key {legend!r}")
        row, column = position
        self.set_contact(row, column, is_down)

    async def type(self, text: str, hold_ms: float, gap_ms: float) -> list[Keystroke]:
        """Press the keys of `text` one after the other; return when each went down and up, by the monotonic clock."""
        start_ms = now_ms()
        done = []
        for stroke in plan_keystrokes(text, hold_ms, gap_ms):
            delay_ms = start_ms + stroke.at_ms - now_ms()
            if delay_ms > 0:
                await asyncio.sleep(delay_ms / 1000)
            self.set_key(stroke.legend, stroke.is_down)
            done.append(stroke._replace(at_ms=now_ms()))
        return done

    def set_hook(self, is_off_hook: bool) -> None:
        """Lift the receiver or put it down."""
        self._is_off_hook = is_off_hook
        self._send(frames.hook_frame(is_off_hook))
        self.events.emit("hook", position="off" if is_off_hook else "on")

    def set_wifi(self, is_up: bool) -> None:
        """Switch the access point."""
        self._radio.switch(is_up)
        self._tell_wifi()

    def state(self) -> dict[str, Any]:
        """Return everything that can be seen of the phone, as JSON values."""
        return {
            "power": self.power.chip is not None,
            "running": self.pid is not None,
            "boots": self._boots,
            "hook": "off" if self._is_off_hook else "on",
            "wifi": dict(self._wifi),
            "contacts": [list(contact) for contact in sorted(self.matrix.closed)],
            **self._outputs.as_json(),
        }

    async def _boot(self, cause: str) -> Chip:
        """Start a chip that knows the settings and where everything is."""
        chip = Chip(self._take_line, self._take_output, self._take_end)
        environment = self._environment | self.nvs.environment()
        environment["PHONETERM_RESET_CAUSE"] = str(RESET_CAUSES[cause])
        if cause in _RTC_IS_LOST:
            self._rtc = ""
        environment["PHONETERM_RTC"] = self._rtc
        self._boots += 1
        self.events.emit("reset", cause=cause, boots=self._boots)
        levels = frames.matrix_frame(self.matrix.lows()) + frames.hook_frame(self._is_off_hook)
        await chip.power_on(self._argv, environment, self._firmware, levels)
        return chip

    def _go_dark(self) -> None:
        self._radio.leave()
        self._wifi["joined"] = False
        for name, fields in self._outputs.clear():
            self.events.emit(name, **fields)
        self.events.emit("power-lost")

    def _send(self, frame: bytes) -> None:
        if self.power.chip is not None:
            self.power.chip.send(frame)

    def _tell_wifi(self) -> None:
        """Tell the chip its status, and listeners what is new."""
        self._send(frames.wifi_frame(self._radio.status))
        wifi = {"up": self._radio.is_up, "joined": self._radio.status == GOT_IP}
        if wifi != self._wifi:
            self._wifi = wifi
            self.events.emit("wifi", **wifi)

    def _take_output(self, line: str) -> None:
        self.log_lines.append(line)
        self.events.emit("log", line=line)

    def _take_end(self, exit_code: int) -> None:
        """The firmware ended by itself: the phone stays dead until somebody resets it, or MicroPython crashed."""
        self.power.feed_watchdog(0)
        self.events.emit("end", exit_code=exit_code)
        if exit_code < 0:  # ended by a signal, as by a fault in the interpreter: a chip panics and starts anew
            self.power.restart_later("panic")

    def _take_line(self, line: bytes) -> None:
        report = frames.parse_report(line)
        if report is None:
            self._take_output("the chip sent a line that means nothing")
            return
        name, fields = report
        shown = self._outputs.take(report)
        if shown:
            self.events.emit(name, **shown)
        elif name == "wifi-join":
            self._radio.join(*fields)
            self._tell_wifi()
        elif name == "wifi-leave":
            self._radio.leave()
            self._tell_wifi()
        elif name == "nvs-set":
            self.nvs.set_hex(*fields)
        elif name == "nvs-erase":
            self.nvs.erase(*fields)
        elif name == "watchdog":
            self._watchdog_ms = int(fields[0]) if fields[0].isdecimal() else self._watchdog_ms
            self.power.feed_watchdog(self._watchdog_ms)
        elif name == "rtc":
            self._rtc = fields[0]
        elif name == "reset":
            self.power.restart_later("software")
        elif name == "warning":
            self._take_output(fields[0])
