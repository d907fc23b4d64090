"""Feeds the chip's watchdog only while every part that must run has moved since the last time.

Does not start or restart anything: a part that stands still lets the watchdog reset the chip.
"""


class Watchdog:
    """Knows the parts by name; `feed` is called now and then by the application."""

    def __init__(self, timer, parts):
        """Take a `machine.WDT` (or None: nothing to feed) and the names of the parts."""
        self._timer = timer
        self._has_moved = dict.fromkeys(parts, False)

    def note(self, part):
        """Say that `part` has made progress."""
        if part not in self._has_moved:
            raise ValueError("the watchdog does not know the part " + str(part))
        self._has_moved[part] = True

    def feed(self):
        """Feed the timer if every part has moved since it was last fed; say whether it was."""
        for part in self._has_moved:
            if not self._has_moved[part]:
                return False
        for part in self._has_moved:
            self._has_moved[part] = False
        if self._timer:
            self._timer.feed()
        return True
