"""A firmware that waits for key 1 on a row that still has its pull-down from the reset, and then removes it."""

import board
from machine import Pin

column = Pin(board.COLUMNS[0], Pin.IN, Pin.PULL_UP)
while True:
    row = Pin(board.ROWS[0], Pin.OPEN_DRAIN, value=1)  # GPIO13 of an ESP32
    if not column.value():
        break
row.init(Pin.OPEN_DRAIN, Pin.PULL_UP)
print("with its pull-up", column.value())
row.init(Pin.OUT, value=1)
row.init(Pin.OPEN_DRAIN, value=1)
print("and at rest again", column.value())
