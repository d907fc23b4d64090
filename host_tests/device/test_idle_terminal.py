"""A tick that changes nothing takes no memory, so no garbage is collected while the terminal is idle."""

import subprocess
from pathlib import Path

from virtual_phone import vm

_PROGRAM = Path(__file__).parent / "vm_modules" / "idle_terminal.py"
_FIRMWARE = Path(__file__).parents[2] / "firmware"


def test_ticks_that_change_nothing_allocate_nothing():
    argv, environment = vm.command(_PROGRAM, path=[_FIRMWARE])
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    costs = dict(line.split() for line in done.stdout.splitlines())
    assert costs == dict.fromkeys(("starting", "no-link", "ready", "talking", "open", "consulting"), "0")
