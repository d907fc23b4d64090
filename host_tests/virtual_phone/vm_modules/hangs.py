"""A firmware that feeds its watchdog for half a second after power-on, and then hangs."""

import time

import machine

print("cause", machine.reset_cause())
if machine.reset_cause() == machine.PWRON_RESET:
    dog = machine.WDT(timeout=300)
    for _ in range(10):
        dog.feed()
        time.sleep_ms(50)
    print("hangs")
while True:
    pass
