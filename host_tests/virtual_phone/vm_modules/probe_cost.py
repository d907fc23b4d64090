"""A firmware that measures how much a look at all pins allocates and how long it takes; it does not judge this."""

import gc
import time

import board
from machine import Pin

rows = [Pin(number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1) for number in board.ROWS]
columns = [Pin(number, Pin.IN, Pin.PULL_UP) for number in board.COLUMNS]
hook = Pin(board.HOOK, Pin.IN, Pin.PULL_UP)


def probe():
    """Look at all columns with all rows low, and at the hook."""
    for row in rows:
        row.value(0)
    closed = 0
    for column in columns:
        closed |= 1 - column.value()
    for row in rows:
        row.value(1)
    hook.value()
    return closed


def run(count):
    """Look this many times."""
    for _ in range(count):
        probe()


run(10)
gc.collect()
before = gc.mem_alloc()
start = time.ticks_us()
run(2000)
elapsed_us = time.ticks_diff(time.ticks_us(), start)
print("cost", gc.mem_alloc() - before, elapsed_us / 2000)
