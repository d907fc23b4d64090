"""Writes an image of MicroPython to a board's flash through the loader in the chip's ROM, with esptool as a program.

Does not build the image or copy files. esptool is under the GPL, so it is run and never imported. The whole flash is
erased first, including settings and secrets: a different partition table makes the old file system unreadable, and
MicroPython would then wait for help instead of starting.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from firmware_build.flash_image import FlashImage, NotAnImage, parse_flash_image, read_mcu

from device_cable.image import BoardChip
from device_cable.problem import CableProblem

_BAUD = 460800


def read_flash_image(path: Path, name: str, chip: BoardChip) -> FlashImage:
    """Return the image in a file; CableProblem when it is not one for the board `name`."""
    if chip.mcu is None or chip.flash_offset is None:
        raise CableProblem(f"The board.json of {name} does not say its chip (mcu) and where MicroPython goes.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CableProblem(f"The image {path} cannot be read: {error.strerror}.") from None
    try:
        mcu = read_mcu(content)  # first: where an image for another chip goes does not matter
        if mcu != chip.mcu:
            raise CableProblem(f"The image {path} is for {mcu}, and BOARD={name} is for {chip.mcu}.")
        image = parse_flash_image(content, int(chip.flash_offset, 0))
    except NotAnImage as problem:
        raise CableProblem(f"The file {path} {problem}.") from None
    _check_description(path, name, content)
    return image


def make_command(path: Path, port: str, chip: BoardChip) -> list[str]:
    """Return the command line that erases the flash and writes the image."""
    return [
        sys.executable, "-m", "esptool", "--chip", str(chip.mcu), "--port", port, "--baud", str(_BAUD),
        "write-flash", "--erase-all", str(chip.flash_offset), str(path),
    ]  # fmt: skip


def write_flash(command: list[str], port: str) -> None:
    """Run esptool, which shows its progress itself; CableProblem when it fails."""
    if subprocess.run(command, check=False).returncode != 0:
        raise CableProblem(
            f"esptool did not write the image to the board at {port}; its own words are above. If the chip did not "
            "answer, hold BOOT while you press RESET. The board may be empty now: run the same command again."
        )


def _check_description(path: Path, name: str, content: bytes) -> None:
    """Refuse an image that does not match the description beside it, if there is one."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return
    try:
        document = json.loads(beside.read_text(encoding="utf-8"))
        board, digest = document["board"], document["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise CableProblem(f"The file {beside} describes no image: remove it, or make image BOARD=.") from None
    if digest != hashlib.sha256(content).hexdigest():
        raise CableProblem(f"The image {path} is not what {beside.name} says (SHA-256): make image BOARD={name} anew.")
    if board != name:
        raise CableProblem(f"The image {path} is for the board {board}, not for {name}.")
