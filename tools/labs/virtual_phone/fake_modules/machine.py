"""The ESP32's `machine` as far as the firmware uses it, with a 4x4 matrix of contacts between its row and column pins.

Does not keep time, measure or decide: the host says what is closed, and is told what is driven.
A column with its pull-up on reads low if and only if closed contacts lead from it to a row that is driven low, through
any number of contacts (there are no diodes: ghosts are real). A column without pull-up floats and reads low, so that a
forgotten pull-up is noticed. A released row with its pull-down on, as some pins have it after a reset, halves the level
of a column that it is joined to: that reads low too. A pin keeps its pull until it is given another.
PHONETERM_PINS says what is on which pin, and what its pull is after a reset (see `wiring.py`).
Constants and defaults are those of the ESP32 port; rarely used parts stay in `machine_rest.py` until they are needed.
"""

import os
import sys
import time

from host_link import link
from machine_timer import Timer  # noqa: F401 - is part of this module

# What may be on a pin, by its place here: 0 to 3 rows, 4 to 7 columns, 8, 9 the hook, 10, 11 the lamp.
_PARTS = "0123abcdHhLl"
_PINS = os.getenv("PHONETERM_PINS") or ""


class Pin:
    """One GPIO. Driving it polls the host when no row was low before; reading polls at most once a millisecond."""

    IN = 1
    OUT = 3  # the bit of value 2 means that the pin drives
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None):  # noqa: A002 - the chip's own name
        self._part = _PARTS.find(_PINS[id : id + 1] or "?")
        self._bit = 1 << (self._part & 3)
        self._mode = self._level = 0
        self._pull = "du".find(_PINS[id + 49 : id + 50] or "?") + 1  # as the constants say: 1 down, 2 up
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        """Set what is given and leave the rest as it is."""
        if pull != -1:
            self._pull = pull or 0
        if mode != -1:
            self._mode = mode
        self.value(self._level if value is None else value)

    def value(self, x=None):
        """Drive the pin to `x`, or return its level."""
        part = self._part
        if x is None:
            if link.polled_ms != time.ticks_ms():
                link.poll()
            if 4 <= part < 8:
                rows = link.low_rows | link.dragged_rows
                return 0 if link.lows[rows] & self._bit else self._pull >> 1
            if 8 <= part < 10:
                return link.is_off_hook ^ (part & 1)
            return self._level if self._mode & 2 else self._pull >> 1
        self._level = 1 if x else 0
        if 0 <= part < 4:
            self._drive_row()
        elif part >= 10 and self._mode & 2:
            link.show("L%d\n" % (self._level ^ (part & 1)))
        return None

    def __call__(self, x=None):
        """Do what `value` does."""
        return self.value(x)

    def _drive_row(self):
        was_low = link.low_rows
        link.low_rows = was_low & ~self._bit
        link.high_rows &= ~self._bit
        link.dragged_rows &= ~self._bit
        if self._level:
            if self._mode == 3:
                link.high_rows |= self._bit
            elif self._pull == 1:
                link.dragged_rows |= self._bit
        elif self._mode & 2:
            link.low_rows |= self._bit
            if not was_low:
                link.poll()
        if link.high_rows and link.low_rows:
            link.show("!a row was driven high while another was low: two keys of one column would short them\n")


class PWM:
    """A square wave on the buzzer's pin; the host hears its frequency while the duty is above 0."""

    def __init__(self, dest, *, freq=5000, duty_u16=32768):
        self._hz = freq
        self.duty_u16(duty_u16)

    def freq(self, value):
        """Set the frequency in Hz."""
        self._hz = value
        self.duty_u16(self._duty)

    def duty_u16(self, value):
        """Set the duty, 0 to 65535."""
        self._duty = value
        link.show("T%d\n" % (self._hz if value else 0))


class WDT:
    """The watchdog: the host cuts the power when it is not fed for `timeout` milliseconds."""

    def __init__(self, id=0, timeout=5000):  # noqa: A002
        link.send("G%d\n" % timeout)

    def feed(self):
        """Say that the firmware is alive."""
        link.send("G\n")


def reset():
    """Restart the chip; does not return. Without a host the VM ends with exit code 64."""
    link.send("R\n")
    if not os.getenv("PHONETERM_HOST_FD"):
        sys.exit(64)
    while True:
        link.poll()
        time.sleep_ms(20)


def __getattr__(name):
    import machine_rest

    return getattr(machine_rest, name)
