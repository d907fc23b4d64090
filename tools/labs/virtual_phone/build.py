"""What a virtual phone is made of: its firmware, its board and its chip. Does not make or start anything.

Its settings, and what is around it (ports, an access point), are not part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from board_check.project_files import BOARDS, FIRMWARE

from virtual_phone import vm

BOARD = BOARDS / "VIRTUAL"
DRIVERS = BOARDS / "displays"


@dataclass(frozen=True)
class Build:
    """One kind of phone. `firmware` and `board` are folders of sources; `heap_kib` is the chip's heap.

    display: "oled" or "lcd" for one that costs time, with its real driver; without it the computer gets two lines at no
    cost. tick_ms 10: the firmware waits as on the chip. bits 32: MicroPython's objects are as large as on a chip, and
    the chip's own modules are in a ROM; is_frozen: the firmware's modules are there too, as in an image with frozen
    firmware. environment: more variables for the chip's process.
    """

    firmware: Path = FIRMWARE
    board: Path = BOARD
    display: str = ""
    heap_kib: int = vm.CHIP_HEAP_KIB
    bits: int = 64
    is_frozen: bool = False
    tick_ms: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that such a phone can be made; ValueError if not."""
        if self.is_frozen and not self.has_rom:
            raise ValueError("only the 32-bit chip has a ROM for the firmware")

    @property
    def has_rom(self) -> bool:
        """Return whether the chip has a ROM."""
        return self.bits == 32


USUAL = Build()
