"""What the chip does at power-on: it runs boot.py, then main.py, from the working folder.

Does not prepare anything for them except the chip's ROM, if it has one (PHONETERM_ROM, a ROMFS image). Like the chip,
it goes on to main.py when boot.py fails. PHONETERM_LIVE: the heap is watched (`live_bytes.py`).
"""

import os
import sys

if os.getenv("PHONETERM_ROM"):
    import chip_rom

    chip_rom.mount(os.getenv("PHONETERM_ROM"))
    del chip_rom, sys.modules["chip_rom"]
if os.getenv("PHONETERM_LIVE"):
    import live_bytes  # noqa: F401 - it goes on by itself
if "boot.py" in os.listdir():
    try:
        execfile("boot.py")  # noqa: F821 - a builtin of MicroPython
    except Exception as error:
        sys.print_exception(error)
execfile("main.py")  # noqa: F821
