"""How long to wait before the next attempt: twice as long each time, with random jitter.

Does not wait, read a clock or draw the random number. Times are integer milliseconds.
The jitter keeps a hundred terminals from coming back in the same instant after a power cut.
"""


class Backoff:
    """Delays that double from `first_ms` up to `most_ms`; each is randomly shortened, to no less than half."""

    def __init__(self, first_ms, most_ms):
        if not 0 < first_ms <= most_ms:
            raise ValueError("no delays from %d to %d ms" % (first_ms, most_ms))
        self._first_ms = first_ms
        self._most_ms = most_ms
        self._ms = first_ms

    def next_ms(self, random_fraction):
        """Return the next delay, for a random number from 0 to below 1."""
        if not 0 <= random_fraction < 1:
            raise ValueError("not from 0 to below 1: " + str(random_fraction))
        ms = self._ms
        self._ms = min(2 * ms, self._most_ms)
        return ms - int(ms * random_fraction) // 2

    def reset(self):
        """Start again at the first delay, after a success."""
        self._ms = self._first_ms
