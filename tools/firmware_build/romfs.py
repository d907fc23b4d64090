"""Makes a ROMFS image of the modules of a board: one file that MicroPython runs from flash without copying it to RAM.

Does not write it to a board: `mpremote romfs deploy` does, on a MicroPython with a ROMFS partition, which the stock
images for the ESP32 lack. boot.py, main.py and board.py stay ordinary files on the board, so that a pin can be changed
and the board survives a broken image. mpremote writes the format.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


class RomfsFailed(Exception):
    """mpremote did not make the image; the sentence quotes it."""


def make_romfs(image: Path) -> Path:
    """Make `<image>.romfs` beside the folder of a board's image, and return it."""
    output = romfs_place(image)
    with tempfile.TemporaryDirectory(prefix="phoneterm-romfs-") as folder:
        for source in sorted(image.rglob("*.mpy")):
            place = Path(folder) / source.relative_to(image)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
        command = [sys.executable, "-m", "mpremote", "romfs", "--no-mpy", "-o", str(output), "build", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not output.is_file():
        raise RomfsFailed(f"mpremote made no ROMFS image: {(done.stderr or done.stdout).strip()}")
    return output


def romfs_place(image: Path) -> Path:
    """Return the path of the ROMFS image of a board's image."""
    return image.with_name(f"{image.name}.romfs")
