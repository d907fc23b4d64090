"""Makes the folder of files that a device gets: boot.py and main.py unchanged, every other module compiled.

Does not copy anything to a device. MicroPython starts boot.py and main.py only as sources, so both are short; safe.py
stays a source too, so that recovery code can be read and repaired on the device.
The modules in NOT_ON_DEVICE are for the bridge and the command line.
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
