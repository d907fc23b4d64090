"""What is on which pin of the simulated chip, read from a board's `board.py`, and which chip `board.json` names.

Does not simulate it. A board without `board.json` has an ESP32. The chip gets one character for each pin number: "0" to
"3" a row, "a" to "d" a column, "L"/"l" the lamp (on when high/low), "B" the buzzer, "H"/"h" the hook switch (off the
hook is high/low), "." nothing; then, again for each pin, one for the pull after a reset: "u" up, "d" down, "." none.
"""

import json
import runpy
from dataclasses import dataclass
from pathlib import Path

from board_check.chips import CHIPS

from virtual_phone.matrix import COLUMNS, ROWS

_PINS = 49


@dataclass(frozen=True)
class Wiring:
    """A board as the simulation needs it: `pins` for the chip `mcu`, `legends` for people (row by row)."""

    name: str
    legends: str
    pins: str
    mcu: str

    def position(self, legend: str) -> tuple[int, int] | None:
        """Return (row, column) of a key, or None when no key has this legend."""
        index = self.legends.find(legend) if len(legend) == 1 else -1
        return divmod(index, COLUMNS) if index >= 0 else None

    def legend(self, row: int, column: int) -> str:
        """Return what is printed on the key of a contact."""
        return self.legends[row * COLUMNS + column]


def read_wiring(board: Path) -> Wiring:
    """Read the wiring from a board's folder; ValueError says what does not fit the simulated parts."""
    names = runpy.run_path(str(board / "board.py"))
    if len(names["ROWS"]) != ROWS or len(names["COLUMNS"]) != COLUMNS or len(names["LEGENDS"]) != ROWS * COLUMNS:
        raise ValueError(f"{board / 'board.py'}: the simulated keypad has {ROWS} rows and {COLUMNS} columns")
    pins = ["."] * _PINS
    parts = [*zip(names["ROWS"], "0123", strict=True), *zip(names["COLUMNS"], "abcd", strict=True)]
    parts.append((names.get("LAMP"), "L" if names.get("LAMP_ACTIVE", 1) else "l"))
    parts.append((names.get("BUZZER"), "B"))
    parts.append((names.get("HOOK"), "H" if names.get("HOOK_OFF_LEVEL", 1) else "h"))
    for pin, part in parts:
        if pin is not None:
            pins[pin] = part
    mcu = _read_mcu(board / "board.json")
    pins += [{0: "d", 1: "u"}.get(CHIPS[mcu].pulls.get(pin, -1), ".") for pin in range(_PINS)]
    return Wiring(names["NAME"], names["LEGENDS"], "".join(pins), mcu)


def _read_mcu(file: Path) -> str:
    mcu = json.loads(file.read_text()).get("mcu", "esp32") if file.is_file() else "esp32"
    return mcu if mcu in CHIPS else "esp32"
