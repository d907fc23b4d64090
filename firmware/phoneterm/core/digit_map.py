"""Digit maps: which numbers exist, when one is complete, and which class it belongs to.

Does not keep time, see keys or know permissions, and does not read the text: `digit_map_compiler.py` does. The
language is that of RFC 3435, section 2.1.5, with a class before each alternative:
`internal:1xx|national:0[1-9]x.T|national:0[1-9]x.#`.
- digits, `x` (any digit), `[1-35]` (some digits), `.` (none or more of the one before), `*` before a digit;
- at the end: `T` (more digits may follow: digit timer or commit key decide) or `#` (only # or the commit key ends it);
- with neither, the number is complete at once when no digit can follow, otherwise as with `T`.
All alternatives are matched at once: a state is an integer with one bit for each place in the map and one for each
alternative's end, so a step costs the same whatever was keyed. State 0 is the dead end.
"""

from collections import namedtuple

from phoneterm.core.messages import MAX_NUMBER_CHARS, SYMBOLS

NO = "no"  # cannot become a number
PARTIAL = "partial"  # digits are missing
COMPLETE = "complete"  # a number, and nothing longer is
TIMER = "timer"  # a number, but more digits may follow
COMMIT = "commit"  # a number once # or the commit key says so


# `every`: all bits of an alternative. `end`: the bits in which its number is complete. `at`: its position in the text.
_Group = namedtuple("_Group", ("name", "every", "end", "at"))


class DigitMap:
    """A compiled map. Walk it with `start` and `step`; the states are integers and the map itself never changes."""

    def __init__(self, alternatives):
        """Lay out the parsed alternatives, one after the other, as bits."""
        self._accepts = [0] * len(SYMBOLS)
        self._repeats = self.plain_ends = self._timer_ends = self._hash_places = start = bit = 0
        groups = []
        for name, places, ending, at in alternatives:
            first = bit
            start |= 1 << bit
            for symbols, is_repeated in places:
                for index in range(len(SYMBOLS)):
                    if symbols >> index & 1:
                        self._accepts[index] |= 1 << bit
                if is_repeated:
                    self._repeats |= 1 << bit
                bit += 1
            end = 1 << bit
            bit += 1
            if ending == "T":
                self._timer_ends |= end
            else:
                self.plain_ends |= end
            if ending == "#":
                self._hash_places |= end >> 1
                end |= end >> 1
            groups.append(_Group(name, (1 << bit) - (1 << first), end, at))
        self.groups = tuple(groups)
        self.ends_with_hash = self._hash_places != 0
        self._start = self._skip_repeats(start)

    def start(self):
        """Return the state before the first digit."""
        return self._start

    def step(self, state, symbol):
        """Return the state after one more digit, `*` or `#`; 0 when the map has no such number."""
        hit = state & self._accepts[SYMBOLS.index(symbol)]
        stays = hit & self._repeats
        return self._skip_repeats(((hit ^ stays) << 1) | stays)

    def verdict(self, state):
        """Return NO, PARTIAL, COMPLETE, TIMER or COMMIT for what has been keyed so far."""
        if not state:
            return NO
        if not state & ~self.plain_ends:
            return COMPLETE
        if state & (self.plain_ends | self._timer_ends):
            return TIMER
        return COMMIT if state & self._hash_places else PARTIAL

    def class_at(self, state):
        """Return the class of the number that is complete in this state, or None."""
        for group in self.groups:
            if state & group.end:
                return group.name
        return None

    def class_of(self, number):
        """Return the class of a whole number (without #), or None when it is not in the map."""
        if len(number) > MAX_NUMBER_CHARS:
            return None
        state = self._start
        for symbol in number:
            if symbol == "#" or symbol not in SYMBOLS:
                return None
            state = self.step(state, symbol)
        return self.class_at(state)

    def possible_classes(self, state):
        """Return the classes that are still possible after what has been keyed, in the order of the map."""
        return [group.name for group in self.groups if state & group.every]

    def _skip_repeats(self, state):
        while True:
            wider = state | ((state & self._repeats) << 1)
            if wider == state:
                return state
            state = wider
