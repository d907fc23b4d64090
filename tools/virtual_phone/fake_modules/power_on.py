"""What the chip does when power comes: run boot.py, then main.py, from the folder in the first argument.

Does not prepare anything for them; like the chip, it goes on to main.py when boot.py fails.
"""

import os
import sys

_folder = sys.argv[1]
if "boot.py" in os.listdir(_folder):
    try:
        execfile(_folder + "/boot.py")  # noqa: F821 - a builtin of MicroPython
    except Exception as error:
        sys.print_exception(error)
execfile(_folder + "/main.py")  # noqa: F821
