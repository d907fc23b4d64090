"""Turns the chip's wrapping tick counters into elapsed time, so that no other module must know that they wrap.

Does not know the time of day. A counter must be read more often than half its period: 6 days for ms, 8 minutes for us
on the ESP32. Nothing here allocates after the constructor.
"""


class Elapsed:
    """Measures the time since the last call, in the unit of its counter, without losing a part of it."""

    def __init__(self, read_ticks, diff_ticks):
        """Take `time.ticks_ms` or `time.ticks_us`, and `time.ticks_diff`."""
        self._read_ticks = read_ticks
        self._diff_ticks = diff_ticks
        self._last = read_ticks()

    def measure(self):
        """Return the units since the last call (or since the constructor)."""
        now = self._read_ticks()
        elapsed = self._diff_ticks(now, self._last)
        self._last = now
        return elapsed
