"""The displays' drivers run on the real MicroPython, with its own letters, against controllers that are played."""

import os
import subprocess
from pathlib import Path

from virtual_phone import vm

_HERE = Path(__file__).parent
_SCRIPT = _HERE / "vm_displays.py"


def test_the_drivers_show_what_they_are_told_and_send_no_more_than_needed():
    argv, environment = vm.command(_SCRIPT, 512, (), (str(_HERE.parents[1] / "boards" / "displays"),))
    done = subprocess.run(argv, capture_output=True, text=True, env=dict(os.environ, **environment), timeout=30)
    expected = [line[4:].partition("(")[0] for line in _SCRIPT.read_text().splitlines() if line.startswith("def test_")]
    assert done.stdout.split() == [word for name in sorted(expected) for word in ("ok", name)], (
        done.stdout + done.stderr
    )
