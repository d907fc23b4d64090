"""Makes the folder of files that a device gets: boot.py and main.py as they are, every other module compiled.

Does not copy anything to a device. MicroPython starts boot.py and main.py only as sources, so both are short; safe.py
goes as a source with them, because what recovers a terminal should be read and mended where it is.
NOT_ON_DEVICE is for the bridge and the command line.
"""

import shutil
from pathlib import Path

from firmware_build import sizes

STARTED_AS_SOURCE = ("boot.py", "main.py", "safe.py")
NOT_ON_DEVICE = ("manifest.py", "phoneterm/core/digit_map_proof.py")


def make_image(firmware: Path, target: Path) -> None:
    """Fill the folder `target` from the folder `firmware`; CompileFailed names what does not compile."""
    target.mkdir(parents=True, exist_ok=True)
    for name in STARTED_AS_SOURCE:
        if (firmware / name).exists():
            shutil.copyfile(firmware / name, target / name)
    sizes.compile_all(firmware, target, except_for=STARTED_AS_SOURCE + NOT_ON_DEVICE)
