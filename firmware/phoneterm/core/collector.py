"""Collects legends into a sequence: the code of an operation, such as `#1`, and a number of the digit map.

Does not know permissions, calls or the link, and never guesses: it dials only what was keyed, in order and in full, and
refuses anything else. Stages: closed -> (# or *) code -> (a digit) number -> quiet -> closed. However a sequence ends,
the keys that follow within QUIET_MS of one another belong to it and are dropped. So the rest of a number is never taken
for the next code. Times are elapsed milliseconds, told by `on_time`. How each odd input ends:
- # or * alone, #1 alone, a number with digits missing: "code-time", "no-number", "digits-missing" by timer;
- another key after # or *: "no-such-code"; a digit with which no number goes on: "no-such-number"; the 33rd digit:
  "number-too-long"; a # or * where the map has none, swap, any other legend: "wrong-key"; all too slow: "too-slow";
- a gap that may have hidden a key: "key-it-again"; the cancel key, or erasing when there is no digit: "cancel".
A key or the passing of time gives an event: KEYED (a key was taken), OPENED (the code is complete), Dialled (for an
operation without a number by its code alone, with number and class None), or why the sequence ended, as above.
"""

from collections import namedtuple

from phoneterm.core import digit_map as verdicts
from phoneterm.core import operations
from phoneterm.core.messages import MAX_NUMBER_CHARS

QUIET_MS = 700
_DIGITS = "0123456789"

KEYED = "keyed"
OPENED = "opened"
Dialled = namedtuple("Dialled", "kind number number_class")


class Collector:
    """One keypad's sequence: `is_open` from # or * on, then `is_quiet` for a while. `settings` is a config.Config."""

    def __init__(self, settings):
        self.is_open = False
        self.is_quiet = False  # keys are still dropped after the last sequence
        self.kind = None  # of the open sequence, once its code is complete
        self.ended = None  # the kind of what was keyed last, None where its code was not complete
        self._settings = settings
        self.keyed = ""  # the number so far
        self._code = ""
        self._state = 0
        self._since_key_ms = 0
        self._since_start_ms = 0

    def possible_classes(self):
        """Return the classes that the number under way can still become."""
        return self._settings.digit_map.possible_classes(self._state)

    def configure(self, settings):
        """Use other settings from the next sequence on; ValueError while one is open."""
        if self.is_open:
            raise ValueError("settings cannot change while a sequence is open")
        self._settings = settings

    def on_time(self, elapsed_ms):
        """Let time pass; return how this ended the sequence, or None."""
        if self.is_open:
            settings = self._settings
            self._since_key_ms += elapsed_ms
            self._since_start_ms += elapsed_ms
            if self.kind is None:
                return self._end("code-time") if self._since_key_ms >= settings.code_ms else None
            if self._since_key_ms >= settings.digit_ms:
                return self._finish(False)
            return self._end("too-slow") if self._since_start_ms >= settings.total_ms else None
        if self.is_quiet:
            self._since_key_ms += elapsed_ms
            self.is_quiet = self._since_key_ms < QUIET_MS
        return None

    def on_press(self, legend):
        """Take one pressed key; return its event, or None for a key that means nothing here."""
        self._since_key_ms = 0
        if not self.is_open:
            if self.is_quiet or legend not in "#*":
                return None
            self.is_open = True
            self._code = legend
            self._since_start_ms = 0
            return KEYED
        roles = self._settings.roles
        if legend == roles.cancel:
            return self._end("cancel")
        if legend == roles.erase:
            return self._erase()
        if self.kind is None:
            return self._complete_code(legend)
        if legend == roles.commit:
            return self._finish(True)
        return self._add_digit(legend)

    def on_release(self):
        """Take the release of any key, which restarts the quiet time."""
        if self.is_quiet:
            self._since_key_ms = 0

    def keep_out(self):
        """Drop the keys that follow within QUIET_MS of one another; for use while no sequence is open."""
        self.is_quiet = True
        self.ended = None
        self._since_key_ms = 0

    def close(self, reason):
        """End the open sequence for a reason from outside and return the reason; None when none is open."""
        return self._end(reason) if self.is_open else None

    def _complete_code(self, legend):
        operation = operations.find(self._code + legend, operations.KEYED)
        if operation is None:
            return self._end("no-such-code")
        self.kind = operation[operations.NAME]
        self._state = self._settings.digit_map.start()
        return OPENED if operation[operations.TAKES_NUMBER] else self._end(Dialled(self.kind, None, None))

    def _add_digit(self, legend):
        digit_map = self._settings.digit_map
        is_digit = legend in _DIGITS
        if not is_digit and legend not in "*#":
            return self._end("wrong-key")
        if legend != "#" and len(self.keyed) == MAX_NUMBER_CHARS:
            return self._end("number-too-long")
        self._state = digit_map.step(self._state, legend)
        if not self._state:
            return self._end("no-such-number" if is_digit else "wrong-key")
        if legend != "#":
            self.keyed += legend
        if digit_map.verdict(self._state) == verdicts.COMPLETE:
            return self._dial()
        return KEYED

    def _erase(self):
        if not self.keyed:
            return self._end("cancel")
        self.keyed = self.keyed[:-1]
        digit_map = self._settings.digit_map
        self._state = digit_map.start()
        for legend in self.keyed:
            self._state = digit_map.step(self._state, legend)
        return KEYED

    def _finish(self, is_committed):
        """Dial what has been keyed if it is a number; `is_committed`: a key completed it, not the timer."""
        verdict = self._settings.digit_map.verdict(self._state)
        if verdict == verdicts.TIMER or (verdict == verdicts.COMMIT and is_committed):
            return self._dial()
        return self._end("digits-missing" if self.keyed else "no-number")

    def _dial(self):
        return self._end(Dialled(self.kind, self.keyed, self._settings.digit_map.class_at(self._state)))

    def _end(self, event):
        self.is_open = False
        self.is_quiet = True
        self._since_key_ms = 0
        self.ended = self.kind
        self.kind = None
        self._code = self.keyed = ""
        self._state = 0
        return event
