"""Runs on MicroPython, with a board's image on the path: makes a keypad of its pins, and writes to its display."""

import sys

sys.path.append(sys.argv[1])

import board
from phoneterm.core.keymap import Keymap, Roles
from phoneterm.device.key_matrix import KeyMatrix

buses = []


class Machine:
    """The part of `machine` that a board's own functions and the keypad use."""

    class Pin:
        IN, OUT, OPEN_DRAIN, PULL_UP = 0, 1, 2, 3

        def __init__(self, number, mode=-1, pull=-1, value=None):
            self.number = number

        def value(self, level=None):
            return 1

        __call__ = value

        def init(self, *settings, **more):
            pass

    class I2C:
        def __init__(self, number, scl, sda):
            self.pins = (scl.number, sda.number)
            self.written = 0
            buses.append(self)

        def writeto(self, address, output):
            self.written += len(output)


sys.modules["machine"] = Machine

print(board.NAME)
matrix = KeyMatrix(Machine.Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, lambda us: None)
Keymap(board.LEGENDS)
Roles(*board.ROLES)
print("keypad ok" if matrix.scan() == 0 and not matrix.probe() else "keypad wrong")
display = board.make_display()
if display is None:
    print("no display")
else:
    bus = buses[0]
    display.show("Ready", "")
    while display.step():
        pass
    scl, sda = bus.pins
    print(f"display on SCL {scl} SDA {sda},", "written to" if bus.written else "dark")
