"""Stories about the key sampler: micropython key_sampler_stories.py STORY.

Does not judge: a story prints its results to standard output. Time passes only when a story looks at the keypad.
"""

import sys

from phoneterm.core.debounce import Debouncer
from phoneterm.core.scanner import Scanner
from phoneterm.device.key_sampler import KeySampler


class Keypad:
    """Has the contacts that a story sets; None means pins that cannot be read."""

    contacts = 0

    def probe(self):
        return self.contacts != 0

    def scan(self):
        if self.contacts is None:
            raise OSError("no pins")
        return self.contacts


class Timer:
    """A machine.Timer that fires when the bench says so."""

    callback = period = None

    def init(self, *, mode, period, callback):
        assert mode == 0
        self.period, self.callback = period, callback

    def fire(self):
        callback, self.callback = self.callback, None
        callback(self)


class Clock:
    """The part of `time` that the sampler uses."""

    us = 0

    def ticks_us(self):
        return self.us

    def ticks_ms(self):
        return self.us // 1000

    def ticks_diff(self, later, earlier):
        return later - earlier


class News:
    """A flag that counts how often it was set."""

    count = 0

    def set(self):
        self.count += 1


class Bench:
    """A sampler that has looked at its keypad twice, and its surroundings."""

    def __init__(self):
        self.keypad, self.timer, self.clock, self.news = Keypad(), Timer(), Clock(), News()
        self.sampler = KeySampler(Scanner(self.keypad, Debouncer()), self.timer, self.clock, self.news)
        self.sampler.start()
        self.look(2)

    def look(self, times=1, ms=None):
        """Let the sampler look this many times, `ms` apart or when it wants to."""
        for _ in range(times):
            self.clock.us += (self.timer.period if ms is None else ms) * 1000
            self.timer.fire()

    def tap(self):
        """Press and release a key."""
        self.keypad.contacts = 1
        self.look(10)
        self.keypad.contacts = 0
        self.look(40)

    def take(self):
        """Take all changes; return (change in hex, its time in ms) of each."""
        changes = []
        while True:
            change = self.sampler.next_change()
            if change is None:
                return changes
            changes.append((hex(change), self.sampler.at_ms))

    def take_changes(self):
        """Take all changes without their times."""
        return [change for change, _ in self.take()]


def press_and_release(bench):
    bench.keypad.contacts = 1
    bench.look(5)
    pressed_ms = bench.clock.us // 1000
    bench.keypad.contacts = 0
    bench.look(100)
    (down, down_ms), (up, up_ms) = bench.take()
    print(down, up, pressed_ms - down_ms, up_ms - down_ms, bench.news.count, bench.take())


def periods(bench):
    bench.look(10)
    print(bench.timer.period, bench.sampler.looks)
    bench.keypad.contacts = 1
    bench.look()
    print(bench.timer.period)


def stall_before_a_key(bench):
    bench.keypad.contacts = 1
    bench.look(2)
    bench.look(1, 61)
    print(bench.take_changes())


def forty_taps(bench):
    for _ in range(40):
        bench.tap()
    changes = bench.take_changes()
    print(len(changes), changes[-2:], bench.take())


def look_that_fails(bench):
    keypad, sampler = bench.keypad, bench.sampler
    looks = sampler.looks
    keypad.contacts = 1
    bench.look()
    keypad.contacts = None
    bench.look()
    print(repr(sampler.error), bench.timer.callback, sampler.looks - looks)
    keypad.contacts = 0
    sampler.start()
    bench.look(3)
    print(sampler.error, sampler.looks - looks)


def hole_after_a_look_that_fails(bench):
    bench.keypad.contacts = None
    bench.look()
    bench.sampler.start()
    bench.keypad.contacts = 1
    bench.look(5)
    print(bench.take_changes())


def ctrl_c_during_a_look(bench):
    def interrupted():
        raise KeyboardInterrupt

    bench.keypad.probe = interrupted
    bench.look()
    print(repr(bench.sampler.error))


def tap_after_too_many(bench):
    for _ in range(33):
        bench.tap()
    first = [bench.sampler.next_change() for _ in range(2)]
    bench.tap()
    print(first, bench.take_changes()[-3:])


globals()[sys.argv[1]](Bench())
