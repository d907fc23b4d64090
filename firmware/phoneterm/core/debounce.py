"""Turns samples of the 16 contacts into key changes: debounced per key, ghosts frozen, stuck keys masked.

Does not read pins, know the time of day or decide when to sample.
A sample is a 16-bit map, bit row * 4 + column; times are integer microseconds since the sample before.
A change is one byte: the key's index, plus PRESSED, or 0 when released, or STUCK, or WORKING. `update` puts the changes
in `changes` and allocates nothing.

The rules, each per key:
1. Pressed: closed in samples that are at least `press_us` apart, with no open one between. The time outlasts a
   spike of 0.6 ms even where samples jitter, and is the shortest that does.
2. Released: open for `release_us` without one closed sample. One wait between two samples counts for at most
   LONGEST_CREDIT_US, so a stall cannot pass for an open contact.
3. Ghosts: when two rows share two closed columns, one of the four corners may not be a real contact. No corner is
   pressed while that lasts; a corner that reads open is open, so releases pass.
4. Stuck: held for `stuck_us` is reported once and masked, and works again (WORKING) once it is released.
5. Held through boot: a key given to `ignore` is not reported until it has been released.
"""

PRESSED = 0x10
STUCK = 0x20
WORKING = 0x40
INDEX = 0x0F

PRESS_US = 800
RELEASE_US = 20000
STUCK_US = 30000000
LONGEST_CREDIT_US = 5000

_KEYS = 16
_MOST_CHANGES = 32  # a stuck key that is let go makes two: released, and working


class Debouncer:
    """The state of the 16 keys."""

    def __init__(self, press_us=PRESS_US, release_us=RELEASE_US, stuck_us=STUCK_US):
        """Start with every key released."""
        self.changes = bytearray(_MOST_CHANGES)
        self.held = 0  # keys that are down, ignored ones included
        self.stuck = 0
        self._reported = 0  # keys whose press was reported
        self._settling = 0  # keys whose last sample differs from `held`
        self._last_contacts = 0
        self._press_us = press_us
        self._release_us = release_us
        self._stuck_us = stuck_us
        self._settling_us = [0] * _KEYS  # how long the key has differed
        self._held_us = [0] * _KEYS
        self._count = 0

    def is_quiet(self):
        """Say whether nothing is down but stuck keys, and nothing is settling."""
        return self._settling == 0 and self.held == self.stuck

    def ignore(self, contacts):
        """Take the keys in `contacts` as held since before the start: they say nothing until released."""
        self.held |= contacts

    def update(self, contacts, elapsed_us):
        """Take one sample; return how many changes it made, now at the start of `changes`."""
        self._count = 0
        ghosts = find_rectangles(contacts | self._last_contacts) & ~self.held
        self._last_contacts = contacts
        differing = (contacts ^ self.held) & ~ghosts
        lasting = differing & self._settling
        self._settling = differing
        index = 0
        bits = differing | (self.held & ~self.stuck)
        while bits:
            if bits & 1:
                key = 1 << index
                if self.held & ~self.stuck & key:
                    self._count_held(index, key, elapsed_us)
                if not differing & key:
                    pass
                elif lasting & key:
                    self._count_settling(index, key, elapsed_us)
                else:
                    self._settling_us[index] = 0
            bits >>= 1
            index += 1
        return self._count

    def _count_held(self, index, key, elapsed_us):
        self._held_us[index] += elapsed_us
        if self._held_us[index] >= self._stuck_us:
            self.stuck |= key
            self._add(STUCK | index)

    def _count_settling(self, index, key, elapsed_us):
        if not self.held & key:
            self._settling_us[index] += elapsed_us
            if self._settling_us[index] >= self._press_us:
                self._press(index, key)
        else:
            self._settling_us[index] += min(elapsed_us, LONGEST_CREDIT_US)
            if self._settling_us[index] >= self._release_us:
                self._release(index, key)

    def _press(self, index, key):
        self.held |= key
        self._reported |= key
        self._settling &= ~key
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
        self._settling &= ~key
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
