"""Runs as the main.py of a virtual phone: prints how much heap the simulated chip's own modules take.

Does not run the firmware, but creates the same chip objects as the firmware has at ready.
"""

import asyncio  # noqa: F401 - a chip has it too
import gc

import board


class Holder:
    """Uses up names, so that the pool for the chip's few names exists already."""


def in_use():
    """Return the bytes that are in use after a collection."""
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


for number in range(200):
    setattr(Holder, "name%d" % number, None)
for number in range(200):
    delattr(Holder, "name%d" % number)
made = [None] * 16
before = in_use()
import esp32  # noqa: E402
import live_bytes  # noqa: E402, F401
import machine  # noqa: E402
import machine_rest  # noqa: E402, F401
import network  # noqa: E402

storage = esp32.NVS("phoneterm")
for place, pin in enumerate(board.ROWS):
    made[place] = machine.Pin(pin, machine.Pin.OPEN_DRAIN, value=1)
for place, pin in enumerate(board.COLUMNS):
    made[4 + place] = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
made[8] = machine.Pin(board.HOOK, machine.Pin.IN, machine.Pin.PULL_UP)
made[9] = machine.Pin(board.LAMP, machine.Pin.OUT)
made[10] = machine.PWM(machine.Pin(board.BUZZER), freq=1000, duty_u16=0)
made[11] = machine.WDT(timeout=30000)
made[12] = network.WLAN(network.STA_IF)
made[13] = board.make_display()
storage = None
print("chip", in_use() - before)
