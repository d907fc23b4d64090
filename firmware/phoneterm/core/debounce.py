"""Turns samples of the 16 contacts into key changes: debounced per key, ghosts frozen, stuck keys masked.

Does not read pins, know the time of day or decide when to sample.
A sample is a 16-bit map, bit row * 4 + column; times are integer microseconds since the sample before.
A change is one byte: the key's index, plus PRESSED, or 0 when released, or STUCK, or WORKING. `update` puts the changes
in `changes` and allocates nothing.

The rules, each per key:
1. Pressed: closed in PRESS_SAMPLES samples at least SPACING_US apart, with less than FORGET_US of open samples
   among them. A spike of 0.6 ms can cause one of them, not three; a bad membrane need not be steady at any time.
2. Released: open for `release_us` without one closed sample. One wait between two samples counts for at most
   LONGEST_CREDIT_US, so a stall cannot pass for an open contact.
3. Ghosts: when two rows share two closed columns, one of the four corners may not be a real contact. No corner is
   pressed while that lasts; a corner that reads open is open, so releases pass.
4. Stuck: held for `stuck_us` is reported once and masked, and works again (WORKING) once it is released.
5. Held through boot: a key given to `ignore` is not reported until it has been released.
"""

from array import array

PRESSED = 0x10
STUCK = 0x20
WORKING = 0x40
STALLED = 0x80  # no key: a gap so long that a key may have been missed; reported by the scanner
INDEX = 0x0F

PRESS_SAMPLES = 3
SPACING_US = 800
FORGET_US = 10000
RELEASE_US = 20000
LONGEST_CREDIT_US = 10000
STUCK_US = 30000000

_KEYS = 16


class Debouncer:
    """The state of the 16 keys."""

    def __init__(self, release_us=RELEASE_US, stuck_us=STUCK_US):
        """Start with every key released."""
        self.changes = bytearray(2 * _KEYS)  # a stuck key that is let go makes two changes: released, and working
        self.held = 0  # keys that are down, ignored and stuck ones included
        self.stuck = 0
        self._reported = 0  # held keys whose press was reported
        self._closing = 0  # keys that closed but are not held yet
        self._last_contacts = 0
        self._release_us = release_us
        self._stuck_us = stuck_us
        zeros = bytes(4 * _KEYS)
        self._open_us = array("i", zeros)  # closing: open samples since the first closed one; held: the latest ones
        self._counted_us = array("i", zeros)  # since the last closed sample that counted
        self._held_us = array("i", zeros)
        self._closed_samples = bytearray(_KEYS)
        self._count = 0

    def is_quiet(self):
        """Say whether nothing is down but stuck keys, and nothing is settling."""
        return self._closing == 0 and self.held == self.stuck and self.held & ~self._last_contacts == 0

    def ignore(self, contacts):
        """Treat the keys in `contacts` as held since before the start: they are not reported until released."""
        self.held |= contacts
        self._last_contacts = contacts

    def update(self, contacts, elapsed_us):
        """Take one sample; return how many changes it made, now at the start of `changes`."""
        self._count = 0
        ghosts = find_rectangles(contacts | self._last_contacts) & ~self.held
        self._closing &= ~ghosts
        bits = (contacts & ~ghosts) | self._closing | self.held
        index = 0
        while bits:
            if bits & 1:
                key = 1 << index
                if self.held & key:
                    self._follow_held(index, key, contacts & key, elapsed_us)
                else:
                    self._follow_closing(index, key, contacts & key, elapsed_us)
            bits >>= 1
            index += 1
        self._last_contacts = contacts
        return self._count

    def _follow_closing(self, index, key, is_closed, elapsed_us):
        if not self._closing & key:
            self._closing |= key
            self._open_us[index] = 0
            self._closed_samples[index] = 1
            self._counted_us[index] = 0
            return
        self._counted_us[index] += elapsed_us
        if not is_closed:
            self._open_us[index] += elapsed_us
            if self._open_us[index] >= FORGET_US:
                self._closing &= ~key
        elif self._counted_us[index] >= SPACING_US:
            self._counted_us[index] = 0
            self._closed_samples[index] += 1
            if self._closed_samples[index] >= PRESS_SAMPLES:
                self._press(index, key)

    def _follow_held(self, index, key, is_closed, elapsed_us):
        if is_closed:
            self._count_held(index, key, elapsed_us)
        elif self._last_contacts & key:
            self._open_us[index] = 0
        else:
            self._open_us[index] += min(elapsed_us, LONGEST_CREDIT_US)
            if self._open_us[index] >= self._release_us:
                self._release(index, key)

    def _count_held(self, index, key, elapsed_us):
        if self.stuck & key:
            return
        self._held_us[index] += elapsed_us
        if self._held_us[index] >= self._stuck_us:
            self.stuck |= key
            self._add(STUCK | index)

    def _press(self, index, key):
        self._closing &= ~key
        self.held |= key
        self._reported |= key
        self._held_us[index] = 0
        self._add(PRESSED | index)

    def _release(self, index, key):
        if self._reported & key:
            self._add(index)
        if self.stuck & key:
            self._add(WORKING | index)
        self.held &= ~key
        self.stuck &= ~key
        self._reported &= ~key
        self._held_us[index] = 0

    def _add(self, change):
        self.changes[self._count] = change
        self._count += 1


def find_rectangles(contacts):
    """Return the keys at the corners of every rectangle of closed contacts."""
    corners = 0
    for upper in range(0, 12, 4):
        for lower in range(upper + 4, 16, 4):
            shared = (contacts >> upper) & (contacts >> lower) & 15
            if shared & (shared - 1):
                corners |= (shared << upper) | (shared << lower)
    return corners
