"""A firmware that prints whether the handset is off the hook, whenever that changes; it does not debounce."""

import time

import board
from machine import Pin

hook = Pin(board.HOOK, Pin.IN, Pin.PULL_UP)
last = None
while True:
    if hook.value() != last:
        last = hook.value()
        print("hook", last == board.HOOK_OFF_LEVEL)
    time.sleep_ms(1)
