"""Ticks, watchdog and hook: plain values in, plain values out."""

import pytest
from phoneterm.device.hook import Hook
from phoneterm.device.ticks import Elapsed
from phoneterm.device.watchdog import Watchdog

PERIOD = 1 << 30


def diff_ticks(later, earlier):
    """Return the difference of two tick counts as MicroPython does."""
    return (later - earlier + PERIOD // 2) % PERIOD - PERIOD // 2


def test_elapsed_time_goes_on_when_the_counter_wraps():
    counts = [PERIOD - 10, PERIOD - 3, 4, 4]
    elapsed = Elapsed(lambda: counts.pop(0), diff_ticks)
    assert [elapsed.measure(), elapsed.measure(), elapsed.measure()] == [7, 7, 0]


class Timer:
    """Counts how often it was fed."""

    fed = 0

    def feed(self):
        self.fed += 1


def test_the_watchdog_is_fed_only_when_every_part_has_moved_since():
    timer = Timer()
    watchdog = Watchdog(timer, ("scan", "link"))
    watchdog.mark_progress("scan")
    assert watchdog.feed() == "link"
    watchdog.mark_progress("link")
    assert watchdog.feed() is None
    assert watchdog.feed() == "scan"
    assert timer.fed == 1


def test_a_part_that_the_watchdog_does_not_know_is_our_own_mistake():
    with pytest.raises(ValueError, match="lamp"):
        Watchdog(None, ("scan",)).mark_progress("lamp")


class Switch:
    """A pin whose level the test sets."""

    level = 0

    def value(self):
        return self.level


def test_a_hook_tells_each_change_once_it_has_settled_but_not_its_first_position():
    switch = Switch()
    hook = Hook(switch, 1)
    assert [hook.poll(20), hook.poll(20), hook.poll(20)] == [None, None, None]
    switch.level = 1
    assert hook.poll(20) is None
    switch.level = 0
    assert hook.poll(20) is None
    switch.level = 1
    assert [hook.poll(20), hook.poll(20), hook.poll(20)] == [None, True, None]
