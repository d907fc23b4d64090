"""A main.py with a watchdog of 30 s, which it does not feed."""

import time

import machine

machine.WDT(timeout=30000)
print("ready")
while True:
    time.sleep_ms(20)
