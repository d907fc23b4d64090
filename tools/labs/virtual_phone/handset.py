"""What hands do to a phone, whatever chip is in it: contacts, keys, hook; also keeps its log.

Does not have a chip: a phone is a subclass, which moves the contacts at its chip and switches its power. The control
socket (`control.py`) works with any of them. Times are milliseconds of this computer's monotonic clock.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from virtual_phone.events import Events, now_ms
from virtual_phone.keystrokes import Keystroke, plan_keystrokes
from virtual_phone.matrix import ContactMatrix
from virtual_phone.power import Power
from virtual_phone.wiring import Wiring

MOST_LOG_LINES = 1000


class Handset(ABC):
    """One phone, seen from outside. Methods run on the event loop that switched the power on."""

    power: Power[Any]

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.log_lines: deque[str] = deque(maxlen=MOST_LOG_LINES)
        self.matrix = ContactMatrix()
        self.events = Events()
        self.is_off_hook = False

    def set_contact(self, row: int, column: int, is_closed: bool) -> None:
        """Close or open one contact."""
        self.matrix.set_closed(row, column, is_closed)
        self._move_contacts()
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
        """Press the keys of `text` one after the other; return when each went down and up, by the monotonic clock.

        If a stroke is late because this computer was busy, those after it are delayed: no press becomes shorter.
        """
        start_ms = now_ms()
        done = []
        for stroke in plan_keystrokes(text, hold_ms, gap_ms):
            delay_ms = start_ms + stroke.at_ms - now_ms()
            if delay_ms > 0:
                await asyncio.sleep(delay_ms / 1000)
            self.set_key(stroke.legend, stroke.is_down)
            moved_ms = now_ms()
            start_ms = max(start_ms, moved_ms - stroke.at_ms)
            done.append(stroke._replace(at_ms=moved_ms))
        return done

    def set_hook(self, is_off_hook: bool) -> None:
        """Lift the receiver or put it down."""
        self.is_off_hook = is_off_hook
        self._move_hook()
        self.events.emit("hook", position="off" if is_off_hook else "on")

    @abstractmethod
    def set_wifi(self, is_up: bool) -> None:
        """Switch the access point."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return everything that can be seen of the phone, as JSON values."""

    @abstractmethod
    def _move_contacts(self) -> None:
        """Show the chip the matrix as it is now."""

    @abstractmethod
    def _move_hook(self) -> None:
        """Show the chip the hook as it is now."""

    def _take_output(self, line: str) -> None:
        self.log_lines.append(line)
        self.events.emit("log", line=line)
