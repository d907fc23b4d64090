"""The ESP32's `machine` as far as the firmware uses it, with a 4x4 matrix of contacts between its row and column pins.

Does not keep time, measure or decide: what is closed comes from the host, what is driven goes to it.
A column with its pull-up on reads low if and only if closed contacts lead from it to a row that is driven low, however
many contacts that takes (there are no diodes: ghosts are real). A column without pull-up floats and reads low, so that
forgetting it is noticed. PHONETERM_PINS says what hangs on which pin, one character a pin number (see `wiring.py`).
Constants and defaults are those of the ESP32 port.
"""

import os
import sys
import time

from host_link import link

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
RESET_EXIT_CODE = 64  # how the VM ends after reset() when no host is there to cut the power

_DRIVES = 2  # the bit that OUT and OPEN_DRAIN have and IN has not
_ROLES = os.getenv("PHONETERM_PINS") or ""


class Pin:
    """One GPIO. Driving it polls the host when no row was low before; reading polls at most once a millisecond."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None):  # noqa: A002 - the chip's own name
        role = _ROLES[id] if 0 <= id < len(_ROLES) else "."
        self._role = role
        self._row = 1 << "0123".index(role) if role in "0123" else 0
        self._column = 1 << "abcd".index(role) if role in "abcd" else 0
        self._is_hook = role in "Hh"
        self._is_output = role in "LlB"
        self._mode = 0
        self._level = 0
        self._idle = 0
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        """Set what is given and leave the rest as it is."""
        if pull != -1:
            self._idle = 1 if pull == Pin.PULL_UP else 0
        if value is not None:
            self._level = 1 if value else 0
        if mode != -1:
            self._mode = mode
        self._drive()

    def value(self, x=None):
        """Drive the pin to `x`, or return its level."""
        if x is not None:
            self._level = 1 if x else 0
            self._drive()
            return None
        if link.polled_ms != time.ticks_ms():
            link.poll()
        if self._column:
            return 0 if link.lows[link.low_rows] & self._column else self._idle
        if self._is_hook:
            return link.is_off_hook ^ (self._role == "h")
        return self._level if self._mode & _DRIVES else self._idle

    __call__ = value

    def on(self):
        """Drive the pin high."""
        self.value(1)

    def off(self):
        """Drive the pin low."""
        self.value(0)

    def _drive(self):
        if self._row:
            self._drive_row()
        elif self._is_output and self._mode & _DRIVES:
            _show_output(self._role, self._level, 0)

    def _drive_row(self):
        rows = link.low_rows & ~self._row
        highs = link.high_rows & ~self._row
        if self._level:
            link.high_rows = highs | self._row if self._mode == Pin.OUT else highs
        elif self._mode & _DRIVES:
            link.high_rows = highs
            rows |= self._row
            if not link.low_rows:
                link.poll()
        link.low_rows = rows
        if rows and link.high_rows:
            link.warn("a row was driven high while another was low: two keys of one column would short them")


class PWM:
    """A square wave on a pin; the host hears its frequency while the duty is above 0."""

    def __init__(self, dest, freq=5000, duty_u16=32768):
        self._role = dest._role
        self._hz = freq
        self._duty = duty_u16
        self._show()

    def freq(self, value=None):
        """Set or return the frequency in Hz."""
        if value is None:
            return self._hz
        if value < 1:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self._hz = value
        return self._show()

    def duty_u16(self, value=None):
        """Set or return the duty, 0 to 65535."""
        if value is None:
            return self._duty
        self._duty = value
        return self._show()

    def deinit(self):
        """Stop the wave."""
        self._duty = 0
        self._show()

    def _show(self):
        _show_output(self._role, 1 if self._duty else 0, self._hz)


class WDT:
    """The watchdog: the host cuts the power when it is not fed for `timeout` milliseconds."""

    def __init__(self, id=0, timeout=5000):  # noqa: A002
        link.send("G%d\n" % timeout)
        self._told_ms = time.ticks_ms()

    def feed(self):
        """Say that the firmware is alive; passed on at most every 200 ms."""
        now_ms = time.ticks_ms()
        if time.ticks_diff(now_ms, self._told_ms) >= 200:
            self._told_ms = now_ms
            link.send("G\n")


def reset():
    """Start the chip anew; does not return."""
    link.send("R\n")
    if os.getenv("PHONETERM_HOST_FD") is None:
        sys.exit(RESET_EXIT_CODE)
    while True:
        link.poll()
        time.sleep_ms(20)


def reset_cause():
    """Return why the chip last started."""
    return int(os.getenv("PHONETERM_RESET_CAUSE") or PWRON_RESET)


def unique_id():
    """Return the chip's 6-byte address."""
    return bytes.fromhex(os.getenv("PHONETERM_UNIQUE_ID") or "02005e000001")


def freq():
    """Return the processor's clock in Hz."""
    return 240000000


_outputs = {}


def _show_output(role, level, hz):
    """Tell the host about the lamp ("L" is on when high, "l" when low) or the buzzer, if it has changed."""
    if role == "B":
        line = "T%d\n" % (hz if level else 0)
    elif role == "L" or role == "l":
        line = "L%d\n" % (level ^ (role == "l"))
    else:
        return
    if _outputs.get(line[0]) != line:
        _outputs[line[0]] = line
        link.send(line)
