"""Says in one sentence why the terminal cannot start: a module that is missing or damaged, or a mistake in board.py.

Does not mend anything. Loaded only when the terminal has not started.
"""

import os
import sys

# What board.py must set; boards/README.md says what each is.
_BOARD_NAMES = (
    "NAME", "ROWS", "COLUMNS", "LEGENDS", "ROLES", "SETTLE_US", "LAMP", "LAMP_ACTIVE", "BUZZER", "HOOK",
    "HOOK_OFF_LEVEL", "make_display",
)  # fmt: skip


def describe(error):
    """Return the sentence for what was raised at the start."""
    fault = _find_fault_of_board(error)
    if fault:
        return "board.py %s: mend it, then flash again" % fault
    damaged = None
    if isinstance(error, ValueError) and "phoneterm" in os.listdir():  # there is no such file when it is frozen in
        damaged = _find_damaged("phoneterm")
    return "incomplete firmware (%s): flash it again" % (damaged or error)


def _find_fault_of_board(error):
    """Return what is wrong with board.py, if that is what was raised; else None."""
    try:
        import board
    except SyntaxError:
        return "is not Python"
    except Exception:
        return None  # it is missing, or raises something of its own
    missing = [name for name in _BOARD_NAMES if not hasattr(board, name) and "'%s'" % name in str(error)]
    return "does not set %s" % missing[0] if missing else None


def _find_damaged(folder):
    """Return the first module that this MicroPython cannot read, or None."""
    for name in os.listdir(folder):
        path = folder + "/" + name
        if name.endswith(".mpy"):
            with open(path, "rb") as file:
                if file.read(2) != bytes((ord("M"), sys.implementation._mpy & 255)):
                    return path
        elif "." not in name:
            path = _find_damaged(path)
            if path:
                return path
    return None
