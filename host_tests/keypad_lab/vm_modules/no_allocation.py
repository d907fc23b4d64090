"""Prints the heap cost of each way to look at a keypad, as lines of NAME BYTES; it does not judge the figures.

All names that it uses exist before anything is measured: a new name costs memory.
"""

import gc

from machine import Pin
from phoneterm.core.debounce import Debouncer
from phoneterm.core.scanner import Scanner
from phoneterm.device.key_matrix import KeyMatrix
from phoneterm.device.key_sampler import KeySampler


class Keypad:
    """Has the given contacts."""

    contacts = 0

    def probe(self):
        return self.contacts != 0

    def scan(self):
        return self.contacts


class Timer:
    """A machine.Timer whose callback the measurement calls."""

    def init(self, mode, period, callback):
        self.callback = callback


class Clock:
    """A clock that advances one millisecond with each reading."""

    us = 0

    def ticks_us(self):
        self.us += 1000
        return self.us

    def ticks_ms(self):
        return self.us // 1000

    def ticks_diff(self, later, earlier):
        return later - earlier


class Flag:
    """A flag that nobody waits for."""

    def set(self):
        pass


def cost(scanner, polls):
    """Return how much heap this many polls have taken."""
    before = gc.mem_alloc()
    for _ in range(polls):
        scanner.poll(1000)
    return gc.mem_alloc() - before


_ = before = matrix = timer = sampler = contacts = name = polls = None
keypad = Keypad()
scanner = Scanner(keypad, Debouncer())
gc.collect()
gc.disable()
print("start", cost(scanner, 3))
for name, contacts, polls in (
    ("idle", 0, 1000), ("spike", 1, 1), ("forgotten", 0, 20), ("press", 1, 5), ("held", 1, 1000), ("bounce", 0, 5),
    ("again", 1, 5), ("ghost", 0x33, 50), ("many", 0xFFFF, 50), ("release", 0, 50), ("stuck", 2, 31000),
    ("beside", 6, 50), ("working", 0, 50),
):  # fmt: skip
    keypad.contacts = contacts
    print(name, cost(scanner, polls))
matrix = KeyMatrix(Pin, (1, 2, 3, 4), (5, 6, 7, 8), 10, lambda us: None)
before = gc.mem_alloc()
for _ in range(100):
    matrix.probe()
    matrix.scan()
print("matrix", gc.mem_alloc() - before)
timer = Timer()
sampler = KeySampler(scanner, timer, Clock(), Flag())
sampler.start()
timer.callback(timer)
before = gc.mem_alloc()
for contacts in (0, 1, 0, 0x33, 0):
    keypad.contacts = contacts
    for _ in range(50):
        timer.callback(timer)
while sampler.next_change() is not None:
    pass
print("sampler", gc.mem_alloc() - before)
before = gc.mem_alloc()
scanner.gaps.percentile_ms(50)
scanner.gaps.percentile_ms(99)
scanner.gaps.longest_ms()
scanner.gaps.clear()
print("gaps", gc.mem_alloc() - before)
print("end", scanner.poll(1000))
