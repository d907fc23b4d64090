"""A board as its folder describes it: pins, polarity, legends, roles, and its chip.

Does not read files (`board_file.py`) or judge them (`pin_rules.py`, `key_rules.py`).
Pins are GPIO numbers; None is a part that the board does not have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROLE_NAMES = ("commit", "erase", "cancel", "swap")


@dataclass(frozen=True)
class Display:
    """A display: the module of its driver, and the pins of its I2C bus (None where board.py does not name them)."""

    driver: str
    scl: int | None
    sda: int | None


@dataclass(frozen=True)
class Connection:
    """One wire: its end, in words for people ("row 1"), its pin, and its `kind`, for the rules."""

    part: str
    pin: int
    kind: str  # row | column | lamp | buzzer | hook | bus


@dataclass(frozen=True)
class Board:
    """One board; `notes` are the paragraphs of board.py's docstring after the first."""

    folder: Path
    name: str
    product: str
    chip: str
    has_external_ram: bool
    notes: tuple[str, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    legends: str
    roles: tuple[str, ...]
    settle_us: int
    lamp: int | None
    lamp_active: int
    buzzer: int | None
    hook: int | None
    hook_off_level: int
    display: Display | None

    def connections(self) -> Iterator[Connection]:
        """Yield every wire that goes to a pin, in the order of the table for soldering."""
        for index, pin in enumerate(self.rows):
            yield Connection(f"row {index + 1}", pin, "row")
        for index, pin in enumerate(self.columns):
            yield Connection(f"column {index + 1}", pin, "column")
        if self.lamp is not None:
            yield Connection("the lamp", self.lamp, "lamp")
        if self.buzzer is not None:
            yield Connection("the buzzer", self.buzzer, "buzzer")
        if self.hook is not None:
            yield Connection("the hook switch", self.hook, "hook")
        if self.display and self.display.scl is not None:
            yield Connection("the display's SCL", self.display.scl, "bus")
        if self.display and self.display.sda is not None:
            yield Connection("the display's SDA", self.display.sda, "bus")

    def row_legends(self, row: int) -> str:
        """Return what is printed on the keys of a row."""
        return self.legends[row * len(self.columns) : (row + 1) * len(self.columns)]

    def column_legends(self, column: int) -> str:
        """Return what is printed on the keys of a column."""
        return self.legends[column :: len(self.columns)]
