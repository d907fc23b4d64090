"""A firmware that resets the chip when power has come, and not again."""

import time

import machine

if machine.reset_cause() == machine.PWRON_RESET:
    print("first")
    machine.reset()
print("again")
time.sleep(60)
