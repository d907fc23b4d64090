"""A firmware that resets the chip once, after power-on."""

import time

import machine

if machine.reset_cause() == machine.PWRON_RESET:
    print("first")
    machine.reset()
print("again")
time.sleep(60)
