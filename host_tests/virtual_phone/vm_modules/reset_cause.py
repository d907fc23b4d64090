"""A firmware that says why it was started, and does nothing."""

import time

import machine

print("cause", machine.reset_cause())
while True:
    time.sleep_ms(5)
