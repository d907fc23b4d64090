"""A firmware that prints every change of the keypad with the chip's own time; it does not debounce."""

import time

import board
from machine import Pin

rows = [Pin(number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1) for number in board.ROWS]
columns = [Pin(number, Pin.IN, Pin.PULL_UP) for number in board.COLUMNS]


def scan():
    """Return the closed contacts, one bit each."""
    contacts = 0
    for row in range(4):
        rows[row].value(0)
        for column in range(4):
            if not columns[column].value():
                contacts |= 1 << row * 4 + column
        rows[row].value(1)
    return contacts


print("started")
last = 0
while True:
    contacts = scan()
    if contacts != last:
        last = contacts
        print("keys", f"{contacts:04x}", time.ticks_ms())
    time.sleep_ms(1)
