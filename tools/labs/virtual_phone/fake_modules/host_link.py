"""The one connection between the simulated chip and the process that plays keypad, lamp and radio.

Does not know what pins or Wi-Fi are for: it keeps the host's last values in plain attributes and sends lines.
Host to chip: frames of 18 bytes, a kind, 16 characters and a newline. Chip to host: lines, a kind and its text.
Both are listed in `virtual_phone/frames.py`. Polling without news allocates nothing and takes about 1 us.
When the host closes the connection the chip loses its power: SystemExit. Without a host (PHONETERM_HOST_FD not set)
nothing is connected and every line is lost. This module and its neighbours share the heap with the firmware, so they
are short.
"""

import os
import sys
import time

_FRAME_BYTES = 18


class HostLink:
    """What the host last said: `lows[m]` = columns that read low while the rows of bit mask m are driven low."""

    def __init__(self, fd):
        self._stream = open(int(fd), "r+b") if fd else None  # noqa: SIM115 - open for life
        self._frame = bytearray(_FRAME_BYTES)
        self._shown = {}
        self.lows = bytearray(16)
        self.low_rows = 0
        self.dragged_rows = 0  # released, and pulled down by their own pins
        self.high_rows = 0  # driven high by a push-pull output, not just released
        self.is_off_hook = 0
        self.wifi_status = 1000
        self.polled_ms = -1

    def poll(self):
        """Read every frame that has arrived."""
        self.polled_ms = time.ticks_ms()
        if self._stream is None:
            return
        frame = self._frame
        while True:
            count = self._read(frame)
            if count is None:
                return
            while count < _FRAME_BYTES:
                count += self._read(memoryview(frame)[count:]) or 0
            kind = frame[0]
            if kind == 0x4D:  # "M": the matrix, one hex digit for every mask of driven rows
                for mask in range(16):
                    digit = frame[mask + 1]
                    self.lows[mask] = digit - 48 if digit < 58 else digit - 87
            elif kind == 0x48:  # "H": the hook
                self.is_off_hook = frame[1] - 48
            elif kind == 0x57:  # "W": the status of the station interface
                self.wifi_status = int(bytes(frame[1:5]))

    def send(self, line):
        """Send one line (with its newline); it is lost when the host does not read."""
        if self._stream:
            try:
                self._stream.write(line)
            except OSError:
                sys.exit(0)

    def show(self, line):
        """Send a line unless the last one of its kind was the same."""
        if self._shown.get(line[0]) != line:
            self._shown[line[0]] = line
            self.send(line)

    def _read(self, buffer):
        """Return how many bytes arrived, or None; ends the chip when the host is gone."""
        try:
            count = self._stream.readinto(buffer)
        except OSError:
            count = 0
        if count == 0:
            sys.exit(0)
        return count


link = HostLink(os.getenv("PHONETERM_HOST_FD"))
