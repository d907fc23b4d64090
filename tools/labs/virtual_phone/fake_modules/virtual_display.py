"""A display of two lines of 16 characters, which the host shows in a step that takes no time.

Does not scroll or wrap. With PHONETERM_DISPLAY there is a real display's driver instead, on a bus that the host plays.
"""

import os
from struct import pack_into

from host_link import link


def make():
    """Return this phone's display."""
    name = os.getenv("PHONETERM_DISPLAY")
    if name:
        import played_bus

        return played_bus.make(name)
    return VirtualDisplay()


class VirtualDisplay:
    """Takes two lines, cut to 16 bytes each; neither `show` nor a step allocates."""

    def __init__(self):
        self._line = bytearray(b"D" + bytes(33) + b"\n")
        self._is_new = False

    def show(self, line1, line2):
        """Set the two lines to show."""
        pack_into("16sB16s", self._line, 1, line1, 9, line2)
        self._is_new = True

    def step(self):
        """Tell the host; there is nothing to wait for."""
        if self._is_new:
            self._is_new = False
            link.send(self._line)
        return 0
