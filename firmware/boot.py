"""Decides, before anything else runs, whether to start the terminal or safe mode.

Does not start either; `main.py`, which shares these globals, does. Safe mode is chosen if there is a file named `safe`
(`mpremote touch :safe`), if the last runs all crashed, or if the cancel key is held at power-on.
The chip runs at its highest clock: images start at 160 MHz, and every keypad scan depends on the speed.
Garbage is collected often until the terminal runs, so that the loaded modules lie close together and leave the heap
in one piece.
"""

import gc
import os
import time

import machine
from micropython import const

_FASTEST_HZ = const(240000000)
_LOADING_GARBAGE_BYTES = const(4096)
_MOST_CRASHES = const(3)
_HELD_MS = const(20)
BREADCRUMB = None  # until it is there, which takes a module


def is_key_held():
    """Say whether the cancel key is down now and _HELD_MS later."""
    import board
    from phoneterm.device.key_matrix import KeyMatrix

    matrix = KeyMatrix(machine.Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)
    contacts = matrix.scan()
    time.sleep_ms(_HELD_MS)
    return contacts & matrix.scan() & 1 << board.LEGENDS.index(board.ROLES[2])


def find_reason():
    """Return why safe mode is wanted, or None."""
    if "safe" in os.listdir():
        return "file safe found"
    if BREADCRUMB.crashes >= _MOST_CRASHES:
        return "%d crashes" % BREADCRUMB.crashes
    if machine.reset_cause() == machine.PWRON_RESET and is_key_held():  # noqa: F821 - deleted below, after its use
        return "cancel key held"
    return None


gc.threshold(_LOADING_GARBAGE_BYTES)
try:
    machine.freq(_FASTEST_HZ)
except ValueError:
    pass  # an ESP32-C3 has 160 MHz at most
try:
    from phoneterm.device.breadcrumb import Breadcrumb

    BREADCRUMB = Breadcrumb(machine)
    SAFE_REASON = find_reason()
except Exception as error:
    SAFE_REASON = error
del const, find_reason, is_key_held  # main.py shares these globals, and the terminal needs the memory
