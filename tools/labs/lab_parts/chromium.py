"""Finds Debian's Chromium, in which the tests look at pages, and installs it. Does not start it.

It is installed on the machine itself, with apt-get, which needs root: a browser in a root of its own would see neither
the fonts nor the folders of this machine.
"""

import os
import shutil
import subprocess

from lab_parts.parts import INSTALL_COMMAND, PartMissing

PROGRAM = "chromium"


def find() -> str:
    """Return the program, or raise PartMissing."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise PartMissing(f"{PROGRAM} is not on this machine: run '{INSTALL_COMMAND} --tests' as root.")
    return found


def install() -> None:
    """Install it unless it is there; PartMissing says why it still is not."""
    if shutil.which(PROGRAM) is None:
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", PROGRAM]):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, capture_output=True, env=environment, check=False)
    find()
