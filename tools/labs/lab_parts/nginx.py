"""Finds nginx, behind which the tests put the console, and fetches Debian's package. Does not start it.

The package is only unpacked into a folder: installed, it would be a service of this machine that takes port 80. Its
libraries are those of every Debian.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lab_parts.parts import INSTALL_COMMAND, PartMissing, default_root

PROGRAM = "nginx"


def find() -> str:
    """Return the program, or raise PartMissing."""
    unpacked = _folder() / "usr" / "sbin" / PROGRAM
    found = shutil.which(PROGRAM) or (str(unpacked) if os.access(unpacked, os.X_OK) else None)
    if found is None:
        raise PartMissing(f"{PROGRAM} is not on this machine: run '{INSTALL_COMMAND} --tests'.")
    return found


def install() -> None:
    """Fetch and unpack it unless it is there; PartMissing says why it still is not."""
    folder = _folder()
    if shutil.which(PROGRAM) is None and not folder.is_dir():
        place = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        try:
            for command in (["apt-get", "update", "-q"], ["apt-get", "download", "-q", PROGRAM]):
                subprocess.run(command, cwd=place, capture_output=True, check=False)
            for package in place.glob(f"{PROGRAM}_*.deb"):
                subprocess.run(["dpkg", "-x", package, place], capture_output=True, check=False)
                package.unlink()
                place.rename(folder)
        except OSError as error:
            raise PartMissing(f"{PROGRAM} cannot be fetched here: {error.strerror}.") from None
    find()


def _folder() -> Path:
    root = default_root()
    return root.with_name(f"{root.name}-{PROGRAM}")
