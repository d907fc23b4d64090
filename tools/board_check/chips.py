"""The possible uses of each chip's pins: the facts that a board's wiring is checked against.

Does not judge a board; `pin_rules.py` does. Pins are GPIO numbers. A strapping pin's value is the level that it needs
at reset for the chip to start from flash and to be flashed: 0, 1, or None where either will do. `pulls` are the pins
whose pull-up (1) or pull-down (0) is on from a reset until the firmware changes it; the others float.
Sources: Espressif's ESP-IDF programming guide, "GPIO & RTC GPIO" of each chip, and the data sheets' "Boot
Configurations"; the technical reference manuals' IO MUX pin tables, column "Reset" (pulls); esptool's "Boot Mode
Selection"; MicroPython's ports/esp32/machine_pin.h (the pins it has) and ports/esp32/boards/*/mpconfigboard.h (which
consoles it opens).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """One chip. `memory` are pins that only a module with external RAM takes; `input_only` ones have no pull-ups."""

    title: str
    pins: frozenset[int]
    flash: frozenset[int]
    memory: frozenset[int]
    input_only: frozenset[int]
    strapping: Mapping[int, int | None]
    pulls: Mapping[int, int]
    console: frozenset[int]
    usb: frozenset[int]

    def free_pins(self, has_external_ram: bool) -> list[int]:
        """Return the pins that every part can use."""
        taken = self.flash | self.input_only | self.console | self.usb | self.strapping.keys()
        return sorted(self.pins - taken - (self.memory if has_external_ram else frozenset()))


def _pins(*ranges: tuple[int, int]) -> frozenset[int]:
    return frozenset(pin for first, last in ranges for pin in range(first, last + 1))


# By the `mcu` of board.json, as MicroPython calls them.
CHIPS = {
    "esp32": Chip(
        title="ESP32",
        pins=_pins((0, 19), (21, 23), (25, 27), (32, 39)),  # 20 is on the ESP32-PICO-V3 alone
        flash=_pins((6, 11)),
        memory=_pins((16, 17)),
        input_only=_pins((34, 39)),
        # 0: low starts the serial loader. 2: high keeps it from starting. 12: high feeds a 3.3 V flash with 1.8 V.
        # 15: low silences the start-up messages. 5 and 15: timing of an SDIO slave, which the terminal is not.
        strapping={0: 1, 2: 0, 5: None, 12: 0, 15: None},
        # 12 to 15 are MTDI, MTCK, MTMS and MTDO; 6 to 11 belong to the flash.
        pulls={0: 1, 1: 1, 2: 0, 3: 1, 4: 0, 5: 1, 12: 0, 13: 0, 14: 1, 15: 1} | dict.fromkeys(range(6, 12), 1),
        console=_pins((1, 1), (3, 3)),
        usb=frozenset(),
    ),
    "esp32s3": Chip(
        title="ESP32-S3",
        pins=_pins((0, 21), (26, 48)),
        flash=_pins((26, 32)),
        memory=_pins((33, 37)),  # octal flash or RAM
        input_only=frozenset(),
        # 0: low starts the serial loader. 46: high keeps it from starting. 45: high feeds the flash with 1.8 V.
        # 3: where JTAG comes from, only once a fuse has been blown.
        strapping={0: 1, 3: None, 45: 0, 46: 0},
        # 20: USB's D+. 39: MTCK, unless a fuse took JTAG away.
        pulls={0: 1, 20: 1, 39: 1, 43: 1, 44: 1, 45: 0, 46: 0} | dict.fromkeys(range(26, 33), 1),
        console=_pins((43, 44)),
        usb=_pins((19, 20)),
    ),
    "esp32c3": Chip(
        title="ESP32-C3",
        pins=_pins((0, 21)),
        flash=_pins((11, 17)),  # 11 is the flash's supply, VDD_SPI
        memory=frozenset(),
        input_only=frozenset(),
        # 9: low starts the serial loader. 8: low keeps it from starting. 2: should be pulled up, because of glitches.
        strapping={2: 1, 8: 1, 9: 1},
        # 6: MTCK, unless a fuse took JTAG away. 19: USB's D+.
        pulls={6: 1, 9: 1, 19: 1, 20: 1, 21: 1} | dict.fromkeys(range(12, 18), 1),
        console=_pins((20, 21)),
        usb=_pins((18, 19)),
    ),
}
