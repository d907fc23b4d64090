"""The shapes of MicroPython's built-in letters, needed to read a display of pixels.

Does not draw them: the interpreter does, once.
"""

import subprocess
from pathlib import Path

from virtual_phone import vm

_SCRIPT = Path(__file__).parent / "vm" / "letters.py"


def read_letters() -> dict[bytes, str]:
    """Return the character of each letter, keyed by its eight bytes, one for each column."""
    argv, environment = vm.command(_SCRIPT)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    pairs = (line.split() for line in done.stdout.splitlines())
    return {bytes.fromhex(pixels): chr(int(code)) for code, pixels in pairs}
