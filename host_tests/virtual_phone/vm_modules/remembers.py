"""A firmware that keeps a word in its RTC memory, and resets once; it does not write too much there."""

import time

import machine

memory = machine.RTC().memory
print("found", memory().decode())
memory("kept")
if machine.reset_cause() == machine.PWRON_RESET:
    try:
        memory(bytes(2049))
    except ValueError as error:
        print(error)
    machine.reset()
time.sleep(60)
