"""A firmware that drives each row high for a moment while no other is low; it reads no column."""

import board
from machine import Pin

rows = [Pin(number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1) for number in board.ROWS]
for row in rows:
    row.value(0)
    row.init(Pin.OUT, value=1)
    row.init(Pin.OPEN_DRAIN, value=1)
print("done")
