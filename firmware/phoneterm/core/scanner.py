"""Decides when to look at the keypad and how closely, and detects gaps between looks that are too long.

Does not read pins or clocks: the matrix is given, and every poll is told the time since the one before.
While no key is down, it probes all rows cheaply every `idle_ms`. From the first contact on, it does a full scan every
`fast_ms` until everything has settled. For AWAKE_US after a key, while the next is likely, it also probes every
`fast_ms`. A masked stuck key does not count as down, but makes every idle look a full scan, since the probe would
see only that key. A poll allocates nothing.
The matrix has `probe()` (is any contact closed?) and `scan()` (the 16 contacts, bit row * 4 + column).
A key that comes and goes between two looks is never seen. So a stall is reported: the sequence may have a hole.
"""

from array import array

IDLE_MS = 2
FAST_MS = 1
AWAKE_US = 3000000
MOST_GAP_US = 60000  # a key takes three looks; three gaps that are longer than this together may have hidden one

_BINS = 65  # 0 to 64 ms; the last one takes every longer gap, whose length `longest_ms` keeps
_HALVE_AT = 0xFFFF  # keeps the counts in 16 bits; in a minute there are at most 60000 gaps


class Scanner:
    """One keypad's schedule: call `poll`, take the changes, wait `wait_ms`, and again."""

    def __init__(self, matrix, debouncer, idle_ms=IDLE_MS, fast_ms=FAST_MS):
        """Take the matrix to look at and the debouncer that judges what is seen."""
        self.changes = debouncer.changes
        self.wait_ms = 0
        self._matrix = matrix
        self._debouncer = debouncer
        self._idle_ms = idle_ms
        self._fast_ms = fast_ms
        self._has_started = self._is_quiet = False
        self._awake_us = 0
        self._stalls = Stalls()
        self.has_stalled = False  # before the last look: long enough for a key to come and go
        self.gaps = Gaps()  # since the last `gaps.clear()`

    def poll(self, elapsed_us):
        """Look at the keypad `elapsed_us` after the last poll; return how many of `changes` are now new."""
        if not self._has_started:
            return self._start()
        self.gaps.add(elapsed_us)
        self.has_stalled = self._stalls.add(elapsed_us)
        if self._is_quiet and not self._debouncer.held and not self._matrix.probe():
            self._rest(elapsed_us)
            return 0
        count = self._debouncer.update(self._matrix.scan(), elapsed_us)
        self._is_quiet = self._debouncer.is_quiet()
        if count:
            self._awake_us = AWAKE_US
        if self._is_quiet:
            self._rest(elapsed_us)
        else:
            self.wait_ms = self._fast_ms
        return count

    def _rest(self, elapsed_us):
        self._awake_us = max(0, self._awake_us - elapsed_us)
        self.wait_ms = self._fast_ms if self._awake_us else self._idle_ms

    def _start(self):
        self._has_started = True
        self._debouncer.ignore(self._matrix.scan())
        self.wait_ms = self._fast_ms
        return 0


class Stalls:
    """Tells when looks have been so far apart that they may have hidden a key."""

    def __init__(self):
        """Start as after a look."""
        self._older_us = self._last_us = 0

    def add(self, gap_us):
        """Take one gap; say whether the last three together are too long, once for each time."""
        has_stalled = self._older_us + self._last_us + gap_us > MOST_GAP_US
        self._older_us = 0 if has_stalled else self._last_us
        self._last_us = 0 if has_stalled else gap_us
        return has_stalled


class Gaps:
    """A histogram of gaps in a fixed amount of memory: bin n holds gaps over n - 1 and up to n ms."""

    def __init__(self, halve_at=_HALVE_AT):
        """Start empty; halve all counts whenever there are `halve_at` of them."""
        self._halve_at = halve_at
        self._bins = array("H", bytes(2 * _BINS))
        self.clear()

    def clear(self):
        """Forget every gap."""
        for bin_ms in range(_BINS):
            self._bins[bin_ms] = 0
        self._total = 0
        self._longest_us = 0

    def add(self, gap_us):
        """Count one gap."""
        bin_ms = (gap_us + 999) // 1000
        self._bins[bin_ms if bin_ms < _BINS else _BINS - 1] += 1
        if gap_us > self._longest_us:
            self._longest_us = gap_us
        self._total += 1
        if self._total >= self._halve_at:
            self._halve()

    def _halve(self):
        self._total = 0
        for bin_ms in range(_BINS):
            self._bins[bin_ms] >>= 1
            self._total += self._bins[bin_ms]

    def percentile_ms(self, percent):
        """Return the smallest whole ms that at least `percent` % of the gaps do not exceed; 0 without any."""
        needed = (self._total * percent + 99) // 100
        bin_ms = 0
        seen = self._bins[0]
        while seen < needed:
            bin_ms += 1
            seen += self._bins[bin_ms]
        return bin_ms if bin_ms < _BINS - 1 else self.longest_ms()

    def longest_ms(self):
        """Return the longest gap in whole ms, rounded up."""
        return (self._longest_us + 999) // 1000
