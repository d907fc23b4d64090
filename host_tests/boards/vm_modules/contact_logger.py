"""A firmware that prints each change of the contacts, with the firmware's own matrix on the board's pins.

Does not debounce.
"""

import time

import board
from machine import Pin
from phoneterm.device.key_matrix import KeyMatrix

matrix = KeyMatrix(Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)
print("started")
last = 0
while True:
    contacts = matrix.scan()
    if contacts != last:
        last = contacts
        print("contacts", contacts)
    time.sleep_ms(1)
