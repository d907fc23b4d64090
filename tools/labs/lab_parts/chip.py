"""Finds the emulator of an ESP32 that ESP32_CHIP names, and installs what it needs: libraries, and xz to unpack it.

Does not build it: nobody packages an emulator of this chip with Wi-Fi and a keypad. The program is called as
`PROGRAM FLASH.bin [QEMU ARGUMENTS]`, and `PROGRAM --files` prints the folder with the image of MicroPython.
"""

import os
import subprocess
from pathlib import Path

from lab_parts.parts import PartMissing

VARIABLE = "ESP32_CHIP"
MICROPYTHON = "ESP32_GENERIC-*.bin*"  # as it is, or packed with xz
PACKAGES = ("libslirp0", "libpixman-1-0", "libglib2.0-0", "libgcrypt20", "xz-utils")
ABSENT = (
    f"{VARIABLE} does not name an emulated ESP32: build github.com/lcgamboa/qemu, branch picsimlab-esp32, commit "
    "98f1cbda8c214a151a4687eb21dec9daf7f1d0f1, with a keypad at its pins, as tools/labs/chip_lab/README.md says."
)


def is_named() -> bool:
    """Say whether this machine should have an emulated chip."""
    return bool(os.environ.get(VARIABLE))


def find() -> Path:
    """Return the program, or raise PartMissing."""
    named = os.environ.get(VARIABLE)
    if not named:
        raise PartMissing(ABSENT)
    program = Path(named)
    if not os.access(program, os.X_OK) or program.is_dir():
        raise PartMissing(f"{VARIABLE} names {named}, which is no program.")
    return program.absolute()


def install() -> None:
    """Install what the named program needs, unless it already starts; PartMissing says why it still does not.

    This needs root and uses apt-get. The packages are small, and the program cannot bring them itself.
    """
    program = find()
    try:
        find_files(program)
    except PartMissing:
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", *PACKAGES]):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, capture_output=True, env=environment, check=False)
        find_files(program)


def find_files(program: Path) -> Path:
    """Return the folder with the image of MicroPython; PartMissing says what is missing."""
    try:
        done = subprocess.run([str(program), "--files"], capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise PartMissing(f"The emulated ESP32 {program} does not start: {error.strerror}") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or "it does not say why").splitlines()[-1]
        raise PartMissing(f"The emulated ESP32 does not start: {last}")
    printed = done.stdout.strip()
    folder = Path(printed)
    if not printed.isprintable() or not folder.is_absolute() or not any(folder.glob(MICROPYTHON)):
        raise PartMissing(f"'{program} --files' must name a folder with {MICROPYTHON}, not {printed[:80]!r}.")
    return folder
