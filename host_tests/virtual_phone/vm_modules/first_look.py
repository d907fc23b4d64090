"""A firmware that looks once at the second row and column, and ends."""

import board
from machine import Pin

column = Pin(board.COLUMNS[1], Pin.IN, Pin.PULL_UP)
row = Pin(board.ROWS[1], Pin.OPEN_DRAIN, value=0)
print("column", column.value())
