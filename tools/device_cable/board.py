"""Which MicroPython runs on the board, on which chip and with what memory, and whether our firmware can run there.

Does not write an image to a board: `rom_loader.py` does, and the sentences here say how.
"""

import ast
from dataclasses import dataclass

from firmware_build.version import OLDEST_MICROPYTHON

from device_cable.cable import Cable
from device_cable.image import BoardChip, parse_version
from device_cable.problem import CableProblem

OLDEST = parse_version(OLDEST_MICROPYTHON)
OLDEST_WITH_SHARED_KEY = (1, 29)  # that has TLS-PSK
# Frozen firmware is found through the entries of the path that are not file systems, whatever else is on the board.
# Even `os` may be hidden there by a file of that name.
_READ = """
import sys
places = sys.path[:]
sys.path[:] = [place for place in places if place not in ("", "/", "/lib")]
sys.modules.pop("os", None)
import os
largest = 0
try:
    import esp32
    for heap in esp32.idf_heap_info(esp32.HEAP_DATA):
        largest = max(largest, heap[0])
except (AttributeError, ImportError):
    pass
version, loaded = None, sys.modules.pop("phoneterm", None)
sys.path[:] = [place for place in places if place[:7] == ".frozen" or place[:4] == "/rom"]
try:
    import phoneterm
    version = phoneterm.VERSION
except (AttributeError, ImportError):
    pass
sys.path[:] = places
sys.modules.pop("phoneterm", None)
if loaded:
    sys.modules["phoneterm"] = loaded
print(repr((tuple(os.uname()), largest, version)))
"""
_PSRAM_BYTES = 1024 * 1024  # no memory inside a chip is that large


@dataclass(frozen=True)
class Board:
    """What the board reports: "esp32", (1, 28, 0), "Generic ESP32 module with ESP32" and its chip "esp32".

    has_psram: its MicroPython uses memory outside of the chip; frozen_version: of the firmware in its MicroPython.
    """

    platform: str
    version: tuple[int, ...]
    machine: str
    has_psram: bool = False
    frozen_version: str | None = None

    @property
    def mcu(self) -> str:
        """Return the chip in lower case, without the suffix that some boards add."""
        chip = self.machine.rpartition(" with ")[2].lower().replace("-", "")
        return next((name for name in _CHIPS if chip.startswith(name)), chip)


_CHIPS = ("esp32s3", "esp32s2", "esp32c3", "esp32c6", "esp32c5", "esp32c2", "esp32h2", "esp32p4", "esp32")


def enter_board(cable: Cable, name: str) -> Board:
    """Stop the terminal and return its Board; if nothing answers, CableProblem says how to install MicroPython."""
    try:
        cable.enter()
    except CableProblem as problem:
        raise CableProblem(f"{problem} {how_to_install(cable.port, name)}") from None
    try:
        (platform, _, release, _, machine), largest, frozen = ast.literal_eval(cable.run(_READ).strip())
        has_psram = largest >= _PSRAM_BYTES or "SPIRAM" in machine
        return Board(platform, parse_version(release), machine, has_psram, frozen)
    except (ValueError, SyntaxError, TypeError):
        raise CableProblem(f"The board at {cable.port} does not say what it is: is it an ESP32 board?") from None


def check_frozen(board: Board, name: str, version: str) -> None:
    """Refuse files whose version differs from the firmware in the board's MicroPython."""
    if board.frozen_version not in (None, version):
        raise CableProblem(
            f"The MicroPython on the board has the firmware {board.frozen_version} in it, and the files here are of "
            f"{version}: make image BOARD={name}, then make flash BOARD={name} IMAGE=build/image/{name}.bin."
        )


def check_board(board: Board, port: str, name: str, chip: BoardChip, oldest: tuple[int, ...]) -> None:
    """Refuse a board that the image of `name` cannot run on."""
    if board.platform != "esp32":
        raise CableProblem(f"The board at {port} is no ESP32 ({board.machine}): BOARD={name} does not fit it.")
    if chip.mcu is not None and board.mcu != chip.mcu:
        raise CableProblem(
            f"The board at {port} has another chip ({board.machine}): BOARD={name} is for {chip.mcu}, so name the "
            "board that you have."
        )
    if board.version < oldest:
        raise CableProblem(
            f"MicroPython {_text(board.version)} on the board is too old, {_text(oldest)} or later is needed. "
            f"{how_to_install(port, name)}"
        )


def check_shared_key(board: Board) -> None:
    """Refuse a board whose MicroPython has no TLS-PSK."""
    if board.version < OLDEST_WITH_SHARED_KEY:
        raise CableProblem(
            "The bridge's settings give terminals TLS with a shared key (broker.psk_port), which MicroPython "
            f"{_text(board.version)} on the board does not have: put {_text(OLDEST_WITH_SHARED_KEY)} or later on it, "
            "or take psk_port out and let the broker show a certificate (broker.ca_path). Nothing was written."
        )


def how_to_install(port: str, name: str) -> str:
    """Return how to install MicroPython on a board."""
    return (
        f"To put MicroPython on it, take the newest .bin from micropython.org/download/{name}, or build one with the "
        f"firmware in it (make image BOARD={name}); then make flash BOARD={name} PORT={port} IMAGE=FILE.bin erases the "
        "board and writes it (hold BOOT while you plug the board in if it does not connect)."
    )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
