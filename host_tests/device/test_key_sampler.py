"""The key sampler on the real MicroPython VM: what it keeps, in which order, with which times, and when it looks."""

import os
import subprocess
import textwrap
from pathlib import Path

from virtual_phone import vm

_PROGRAM = """
from phoneterm.core.debounce import STALLED, Debouncer
from phoneterm.core.scanner import Scanner
from phoneterm.device.key_sampler import KeySampler

class Keypad:
    contacts = 0

    def probe(self):
        return self.contacts != 0

    def scan(self):
        if self.contacts is None:
            raise OSError("no pins")
        return self.contacts

class Timer:  # a machine.Timer that fires when the test says so
    callback = period = None

    def init(self, *, mode, period, callback):
        assert mode == 0
        self.period, self.callback = period, callback

    def fire(self):
        callback, self.callback = self.callback, None
        callback(self)

class Clock:
    us = 0

    def ticks_us(self):
        return self.us

    def ticks_ms(self):
        return self.us // 1000

    def ticks_diff(self, later, earlier):
        return later - earlier

class News:
    count = 0

    def set(self):
        self.count += 1

keypad, timer, clock, news = Keypad(), Timer(), Clock(), News()
sampler = KeySampler(Scanner(keypad, Debouncer()), timer, clock, news)

def look(times=1, ms=None):
    for _ in range(times):
        clock.us += (timer.period if ms is None else ms) * 1000
        timer.fire()

def taken():
    changes = []
    while True:
        change = sampler.next_change()
        if change is None:
            return changes
        changes.append((hex(change), sampler.at_ms))

sampler.start()
look(2)
"""


def tell(tmp_path, story):
    """Run a story and return the lines it printed."""
    path = tmp_path / "story.py"
    path.write_text(_PROGRAM + textwrap.dedent(story))
    argv, environment = vm.command(path, 160, [Path(__file__).parents[2] / "firmware"])
    done = subprocess.run(argv, env=os.environ | environment, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_key_is_kept_with_its_time_until_it_is_taken(tmp_path):
    lines = tell(
        tmp_path,
        """
        keypad.contacts = 1
        look(5)
        pressed_ms = clock.us // 1000
        keypad.contacts = 0
        look(100)
        (down, down_ms), (up, up_ms) = taken()
        print(down, up, pressed_ms - down_ms, up_ms - down_ms, news.count, taken())
        """,
    )
    down, up, since_ms, held_ms, news, rest = lines[0].split(" ", 5)
    assert (down, up, news, rest) == ("0x10", "0x0", "2", "[]")
    assert 0 <= int(since_ms) <= 2
    assert 20 <= int(held_ms) <= 30


def test_the_next_look_is_planned_when_one_has_ended_as_far_off_as_the_scanner_wants(tmp_path):
    lines = tell(
        tmp_path,
        """
        look(10)
        print(timer.period, sampler.looks)
        keypad.contacts = 1
        look()
        print(timer.period)
        """,
    )
    assert lines == ["2 12", "1"]


def test_a_stall_is_kept_in_front_of_what_the_look_after_it_saw(tmp_path):
    lines = tell(
        tmp_path,
        """
        keypad.contacts = 1
        look(2)
        look(1, 61)
        print([change for change, _ in taken()])
        """,
    )
    assert lines == ["['0x80', '0x10']"]


def test_what_nobody_took_in_time_is_told_as_a_stall(tmp_path):
    lines = tell(
        tmp_path,
        """
        for _ in range(40):
            keypad.contacts = 1
            look(10)
            keypad.contacts = 0
            look(40)
        changes = [change for change, _ in taken()]
        print(len(changes), changes[-2:], taken())
        """,
    )
    assert lines == ["65 ['0x0', '0x80'] []"]


def test_a_look_that_fails_is_the_last_one_until_the_next_start(tmp_path):
    lines = tell(
        tmp_path,
        """
        looks = sampler.looks
        keypad.contacts = 1
        look()
        keypad.contacts = None
        look()
        print(repr(sampler.error), timer.callback, sampler.looks - looks)
        keypad.contacts = 0
        sampler.start()
        look(3)
        print(sampler.error, sampler.looks - looks)
        """,
    )
    assert lines == ["OSError('no pins',) None 1", "None 4"]


def test_a_look_that_fails_leaves_a_hole_and_says_so(tmp_path):
    lines = tell(
        tmp_path,
        """
        keypad.contacts = None
        look()
        sampler.start()
        keypad.contacts = 1
        look(5)
        print([change for change, _ in taken()])
        """,
    )
    assert lines == ["['0x80', '0x10']"]


def test_ctrl_c_during_a_look_is_kept_for_whoever_takes_the_changes(tmp_path):
    lines = tell(
        tmp_path,
        """
        def interrupted():
            raise KeyboardInterrupt

        keypad.probe = interrupted
        look()
        print(repr(sampler.error))
        """,
    )
    assert lines == ["KeyboardInterrupt()"]


def test_what_had_no_room_is_told_before_what_came_after_it(tmp_path):
    lines = tell(
        tmp_path,
        """
        def tap():
            keypad.contacts = 1
            look(10)
            keypad.contacts = 0
            look(40)

        for _ in range(33):
            tap()
        first = [sampler.next_change() for _ in range(2)]
        tap()
        print(first, [change for change, _ in taken()][-3:])
        """,
    )
    assert lines == ["[16, 0] ['0x80', '0x10', '0x0']"]
