"""Runs a program on the real MicroPython VM to its end and returns the lines that it printed.

Does not follow a program while it runs; `device/vm_story.py` does. The programs are in `vm_modules` folders beside the
tests; their arguments choose the story.
"""

import subprocess
from pathlib import Path

from virtual_phone import vm

FIRMWARE = Path(__file__).parents[1] / "firmware"
_PATIENCE_S = 60


def run_program(script, *arguments, path=(FIRMWARE,), heap_kib=vm.CHIP_HEAP_KIB, bits=64):
    """Run the script with arguments; modules come from its own folder and from `path`."""
    argv, environment = vm.command(script, heap_kib, path, [str(argument) for argument in arguments], bits)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
