"""Detects when the receiver is lifted and put back, from a switch that bounces.

Does not know calls. Times are ms; a new position counts once it has lasted SETTLED_MS. A poll allocates nothing.
"""

SETTLED_MS = 30


class Hook:
    """The receiver's switch."""

    def __init__(self, pin, off_level):
        """Take a `machine.Pin` and its level while the receiver is off the hook."""
        self._pin = pin
        self._off_level = off_level
        self._is_off = None  # not known yet
        self._differing_ms = 0

    def poll(self, elapsed_ms):
        """Return True when the receiver was lifted, False when it was put back, None when nothing has changed.

        The position at the start is no change: nobody has hung up then.
        """
        is_off = self._pin.value() == self._off_level
        if is_off is self._is_off:
            self._differing_ms = 0
            return None
        self._differing_ms += elapsed_ms
        if self._differing_ms < SETTLED_MS:
            return None
        self._differing_ms = 0
        was_known = self._is_off is not None
        self._is_off = is_off
        return is_off if was_known else None
