"""Which MicroPython runs on the board, on which chip, and whether our firmware can run there.

Does not put an image on a board: esptool does, and the sentences here show how it is called.
"""

import ast
from dataclasses import dataclass

from firmware_build.version import OLDEST_MICROPYTHON

from device_cable.cable import Cable
from device_cable.image import Chip, parse_version
from device_cable.problem import CableProblem

OLDEST = parse_version(OLDEST_MICROPYTHON)
_READ = "import os\nprint(repr(tuple(os.uname())))"


@dataclass(frozen=True)
class Board:
    """What the board says of itself: "esp32", (1, 28, 0), "Generic ESP32 module with ESP32" and its chip "esp32"."""

    platform: str
    version: tuple[int, ...]
    machine: str

    @property
    def mcu(self) -> str:
        """Return the chip in lower case, without the marks that some boards add to it."""
        chip = self.machine.rpartition(" with ")[2].lower().replace("-", "")
        return next((name for name in _CHIPS if chip.startswith(name)), chip)


_CHIPS = ("esp32s3", "esp32s2", "esp32c3", "esp32c6", "esp32c5", "esp32c2", "esp32h2", "esp32p4", "esp32")


def enter_board(cable: Cable, name: str, chip: Chip) -> Board:
    """Stop the terminal and return what the board is; CableProblem shows esptool's lines where nothing answers."""
    try:
        cable.enter()
    except CableProblem as problem:
        raise CableProblem(f"{problem} {how_to_install(cable.port, name, chip)}") from None
    try:
        platform, _, release, _, machine = ast.literal_eval(cable.run(_READ).strip())
        return Board(platform, parse_version(release), machine)
    except (ValueError, SyntaxError, TypeError):
        raise CableProblem(f"The board at {cable.port} does not say what it is: is it an ESP32 board?") from None


def check_board(board: Board, port: str, name: str, chip: Chip, oldest: tuple[int, ...]) -> None:
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
            f"{how_to_install(port, name, chip)}"
        )


def how_to_install(port: str, name: str, chip: Chip) -> str:
    """Return how MicroPython is put on a board."""
    esptool = f"esptool --chip {chip.mcu or 'auto'} --port {port}"
    return (
        f"To put MicroPython on it, take the newest .bin from micropython.org/download/{name}, then: "
        f"{esptool} erase-flash; {esptool} write-flash {chip.flash_offset or 'OFFSET'} FILE.bin "
        "(hold BOOT while you plug the board in if it does not connect)."
    )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
