"""A firmware that prints its reset cause, and does nothing else."""

import time

import machine

print("cause", machine.reset_cause())
while True:
    time.sleep_ms(5)
