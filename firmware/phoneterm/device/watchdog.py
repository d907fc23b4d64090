"""Feeds the chip's watchdog only if every part that must run has made progress since the last time.

Does not start or restart anything: if a part stands still, the watchdog resets the chip.
"""


class Watchdog:
    """Knows the parts by name; `feed` is called now and then by the application."""

    def __init__(self, timer, parts):
        """Take a `machine.WDT` and the names of the parts."""
        self._timer = timer
        self._parts = parts
        self._moved = set()

    def mark_progress(self, part):
        """Note that `part` has made progress."""
        if part not in self._parts:
            raise ValueError("no such part: " + str(part))
        self._moved.add(part)

    def feed(self):
        """Feed the timer if every part has made progress since the last feed; else return one that has not."""
        for part in self._parts:
            if part not in self._moved:
                return part
        self._moved.clear()
        self._timer.feed()
        return None
