"""What the chip does when power comes: run boot.py, then main.py, from the folder in the first argument.

Does not prepare anything for them but the chip's ROM, if it has one (PHONETERM_ROM, a ROMFS image). Like the chip, it
goes on to main.py when boot.py fails.
"""

import os
import sys

if os.getenv("PHONETERM_ROM"):
    import chip_rom

    chip_rom.mount(os.getenv("PHONETERM_ROM"))
    del chip_rom, sys.modules["chip_rom"]
_folder = sys.argv[1]
if "boot.py" in os.listdir(_folder):
    try:
        execfile(_folder + "/boot.py")  # noqa: F821 - a builtin of MicroPython
    except Exception as error:
        sys.print_exception(error)
execfile(_folder + "/main.py")  # noqa: F821
