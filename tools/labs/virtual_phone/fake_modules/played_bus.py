"""A `machine.I2C` as far as a display's driver uses it; every write goes to the host, which plays the display.

Does not read. A write takes as long as on a chip's bus, plus the time that an ESP32 needs to compute the bytes; that
was measured with MicroPython on an emulated one. Writing allocates nothing.
"""

import time

from host_link import link

_COMPUTED_US = 10  # a byte
_LEAST_US = 500  # a shorter wait is added to the next one: a computer is late after each wait
_MOST_BYTES = 80
_DIGITS = b"0123456789abcdef"


def make(name):
    """Return the driver of the display "oled" or "lcd"."""
    driver = __import__(name)
    if name == "oled":
        return driver.Oled(Bus(driver.ADDRESS, 400000))
    return driver.Lcd(Bus(driver.ADDRESS, 100000))


class Bus:
    """One bus with one display on it."""

    def __init__(self, address, hz):
        self._address = address
        self._byte_us = 9000000 // hz + _COMPUTED_US
        self._owed_us = 0
        self._line = bytearray(2 * _MOST_BYTES + 2)
        self._line[0] = ord("I")
        self._line[-1] = ord("\n")

    def writeto(self, addr, buf):
        """Write to the display; OSError for another address, ValueError for more bytes than a driver sends."""
        self._owed_us += (1 + len(buf)) * self._byte_us
        if self._owed_us >= _LEAST_US:
            time.sleep_us(self._owed_us)
            self._owed_us = 0
        if addr != self._address:
            raise OSError(19)
        if len(buf) > _MOST_BYTES:
            raise ValueError("too long for one step of a display")
        line = self._line
        place = 1
        for value in buf:
            line[place] = _DIGITS[value >> 4]
            line[place + 1] = _DIGITS[value & 15]
            place += 2
        while place < 2 * _MOST_BYTES + 1:
            line[place] = 0
            place += 1
        link.send(line)
        return len(buf)
