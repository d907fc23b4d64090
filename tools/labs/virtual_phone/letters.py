"""What MicroPython's own letters look like, so that a display of pixels can be read.

Does not draw them: the interpreter does, once.
"""

import subprocess
from pathlib import Path

from virtual_phone import vm

_SCRIPT = Path(__file__).parent / "vm" / "letters.py"


def read_letters() -> dict[bytes, str]:
    """Return the character of each letter by its eight bytes, one a column."""
    argv, environment = vm.command(_SCRIPT)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    pairs = (line.split() for line in done.stdout.splitlines())
    return {bytes.fromhex(pixels): chr(int(code)) for code, pixels in pairs}
