"""A firmware that says that it has started, and looks at a pin all the time; it does nothing about it."""

import time

import machine

print("started")
while True:
    time.sleep_ms(5)
    machine.Pin(0).value()
