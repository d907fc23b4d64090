"""A display of two lines of 16 characters that the host shows, or a real display's driver on a bus that it plays.

Does not scroll or wrap. PHONETERM_DISPLAY names the driver, "oled" or "lcd"; without it nothing is driven and a step
takes no time.
"""

import os
from struct import pack_into

from host_link import link


def make():
    """Return the display that this phone has."""
    name = os.getenv("PHONETERM_DISPLAY")
    if not name:
        return VirtualDisplay()
    import machine

    driver = __import__(name)
    if name == "oled":
        return driver.Oled(machine.I2C(0))
    return driver.Lcd(machine.I2C(0, freq=100000))


class VirtualDisplay:
    """Takes two lines; only a change reaches the host."""

    def __init__(self):
        self._wanted = bytearray(32)
        self._shown = bytearray(32)
        self._line = bytearray(b"D" + bytes(16) + b"\t" + bytes(16) + b"\n")

    def show(self, line1, line2):
        """Want two lines, cut to 16 bytes each."""
        pack_into("16s16s", self._wanted, 0, line1, line2)

    def step(self):
        """Tell the host; there is nothing to wait for."""
        if self._wanted != self._shown:
            for index in range(32):
                self._shown[index] = self._line[index + 1 + index // 16] = self._wanted[index]
            link.send(self._line)
        return 0
