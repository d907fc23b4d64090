"""A firmware that prints that it has started, and reads a pin all the time; it does nothing else."""

import time

import machine

print("started")
while True:
    time.sleep_ms(5)
    machine.Pin(0).value()
