"""A desk phone around the simulated chip: starts the untouched firmware, plays keypad, hook, radio, lamp and buzzer.

Does not talk to people or programs: the control socket (`control.py`) does, with the methods of this class.
Times are milliseconds of this computer's monotonic clock (CLOCK_MONOTONIC), the same for every process on it.
Events are dicts with "event" and "time_ms"; README.md lists them. Methods run on the event loop that started the phone.
"""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from virtual_phone import frames, vm
from virtual_phone.chip import Chip
from virtual_phone.keystrokes import Keystroke, plan_keystrokes
from virtual_phone.matrix import ContactMatrix
from virtual_phone.nvs_image import NvsImage
from virtual_phone.radio import GOT_IP, Radio
from virtual_phone.state import Outputs
from virtual_phone.wiring import read_wiring

_ROOT = Path(__file__).parents[2]
FIRMWARE = _ROOT / "firmware"
BOARD = _ROOT / "boards" / "VIRTUAL"
MOST_LOG_LINES = 1000
_LEAST_S_BETWEEN_BOOTS = 0.2  # a firmware that resets at once must not eat the computer
RESET_CAUSES = {"power": 1, "button": 2, "watchdog": 3, "software": 2}  # what machine.reset_cause() says afterwards

Event = dict[str, Any]


def now_ms() -> float:
    """Return the time of events: milliseconds of the monotonic clock."""
    return round(time.monotonic_ns() / 1e6, 3)


class DeskPhone:
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"."""

    def __init__(
        self,
        settings: dict[str, str],
        heap_kib: int = 160,
        *,
        firmware: Path = FIRMWARE,
        board: Path = BOARD,
        access_point: tuple[str, str] | None = None,
    ) -> None:
        self.wiring = read_wiring(board)
        self.log_lines: deque[str] = deque(maxlen=MOST_LOG_LINES)
        self.nvs = NvsImage(settings)
        self.matrix = ContactMatrix()
        self.outputs = Outputs()
        self.is_off_hook = False
        self.boots = 0
        self._firmware = firmware
        self._argv, self._environment = vm.command(
            vm.FAKE_MODULES / "power_on.py", heap_kib, (vm.FAKE_MODULES, board, firmware), (str(firmware),)
        )
        self._unique_id = "02" + hashlib.sha256(settings.get("tid", "").encode()).hexdigest()[:10]
        self._radio = Radio(access_point)
        self._wifi = {"up": True, "joined": False}
        self._chip: Chip | None = None
        self._power = asyncio.Lock()
        self._listeners: list[Callable[[Event], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchdog: asyncio.TimerHandle | None = None
        self._watchdog_ms = 0

    @property
    def pid(self) -> int | None:
        """The process of the chip, while it runs."""
        return self._chip.pid if self._chip is not None else None

    async def close(self) -> None:
        """Switch the power off for good; nothing is left behind."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.power_off()

    async def power_on(self, cause: str) -> None:
        """Start the chip, unless it runs; `cause` is one of RESET_CAUSES."""
        async with self._power:
            if self._chip is None:
                await self._boot(cause)

    async def power_off(self) -> None:
        """Cut the power."""
        async with self._power:
            if self._chip is not None:
                await self._cut()
                self.emit("power", on=False)

    async def reset(self, cause: str = "button") -> None:
        """Cut the power for a moment."""
        async with self._power:
            await self._cut()
            await self._boot(cause)

    def set_contact(self, row: int, column: int, is_closed: bool) -> None:
        """Close or open one contact."""
        self.matrix.set_closed(row, column, is_closed)
        self._send(frames.matrix_frame(self.matrix.lows()))
        legend = self.wiring.legend(row, column)
        self.emit("contact", row=row, column=column, legend=legend, closed=is_closed)

    def set_key(self, legend: str, is_down: bool) -> None:
        """Press or let go of one key."""
        position = self.wiring.position(legend)
        if position is None:
            raise ValueError(f"there is no key {legend!r}")
        self.set_contact(*position, is_down)

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
        self.is_off_hook = is_off_hook
        self._send(frames.hook_frame(is_off_hook))
        self.emit("hook", position="off" if is_off_hook else "on")

    def set_wifi(self, is_up: bool) -> None:
        """Switch the access point."""
        self._radio.switch(is_up)
        self._tell_wifi()

    def state(self) -> dict[str, Any]:
        """Return everything that can be seen of the phone, as JSON values."""
        return {
            "power": self._chip is not None,
            "running": self.pid is not None,
            "boots": self.boots,
            "hook": "off" if self.is_off_hook else "on",
            "wifi": dict(self._wifi),
            "contacts": [list(contact) for contact in sorted(self.matrix.closed)],
            **self.outputs.as_json(),
        }

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, name: str, /, **fields: Any) -> None:
        """Tell every listener what happened now."""
        event = {"event": name, "time_ms": now_ms(), **fields}
        for listener in tuple(self._listeners):
            listener(event)

    async def _boot(self, cause: str) -> None:
        self.boots += 1
        self._chip = Chip(self._take_line, self._take_output, self._take_end)
        environment = {
            **self._environment,
            **self.nvs.environment(),
            "PHONETERM_PINS": self.wiring.pins,
            "PHONETERM_RESET_CAUSE": str(RESET_CAUSES[cause]),
            "PHONETERM_UNIQUE_ID": self._unique_id,
        }
        first = frames.matrix_frame(self.matrix.lows()) + frames.hook_frame(self.is_off_hook)
        await self._chip.power_on(self._argv, environment, self._firmware, first)
        self.emit("reset", cause=cause, boots=self.boots)

    async def _cut(self) -> None:
        if self._chip is None:
            return
        chip, self._chip = self._chip, None
        self._feed_watchdog(0)
        await chip.power_off()
        self._radio.leave()
        self._wifi["joined"] = False
        for name, fields in self.outputs.clear():
            self.emit(name, **fields)

    def _send(self, frame: bytes) -> None:
        if self._chip is not None:
            self._chip.send(frame)

    def _tell_wifi(self) -> None:
        """Tell the chip its status, and listeners what is new."""
        self._send(frames.wifi_frame(self._radio.status))
        wifi = {"up": self._radio.is_up, "joined": self._radio.status == GOT_IP}
        if wifi != self._wifi:
            self._wifi = wifi
            self.emit("wifi", **wifi)

    def _take_output(self, line: str) -> None:
        self.log_lines.append(line)
        self.emit("log", line=line)

    def _take_end(self, exit_code: int) -> None:
        """The firmware ended by itself, which it never should: the phone stays dead until somebody resets it."""
        self._feed_watchdog(0)
        self.emit("end", exit_code=exit_code)

    def _take_line(self, line: bytes) -> None:
        report = frames.parse_report(line)
        if report is None:
            self._take_output("the chip sent a line that means nothing")
            return
        name, fields = report
        shown = self.outputs.take(report)
        if shown is not None:
            self.emit(name, **shown)
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
            self._feed_watchdog(int(fields[0]) if fields[0].isdecimal() else self._watchdog_ms)
        elif name == "reset":
            self._restart_soon("software")
        elif name == "warning":
            self._take_output(fields[0])

    def _feed_watchdog(self, timeout_ms: int) -> None:
        """Let the watchdog bite in `timeout_ms` from now; 0 stops it."""
        self._watchdog_ms = timeout_ms
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if timeout_ms:
            loop = asyncio.get_running_loop()
            # The chip passes on at most one feeding in 200 ms.
            self._watchdog = loop.call_later(timeout_ms / 1000 + 0.2, self._restart_soon, "watchdog")

    def _restart_soon(self, cause: str) -> None:
        task = asyncio.create_task(self._restart(cause, self._chip))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _restart(self, cause: str, chip: Chip | None) -> None:
        await asyncio.sleep(_LEAST_S_BETWEEN_BOOTS)
        async with self._power:
            if chip is not None and chip is self._chip:
                await self._cut()
                await self._boot(cause)
