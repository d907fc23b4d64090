"""A firmware that drives a row low and high again while it drives the others high; it reads no column."""

import board
from machine import Pin

rows = [Pin(number, Pin.OUT, value=1) for number in board.ROWS]
for _ in range(3):
    rows[0].value(0)
    rows[0].value(1)
print("done")
