"""Collects legends into a sequence: a code, `#1` (blind) or `*2` (attended), and a number the digit map has.

Does not know permissions, calls or the link, and never guesses: what it dials was keyed, in order, in full, or it is
refused. Stages: closed -> (# or *) code -> (1 or 2) number -> quiet -> closed. However a sequence ends, the keys that
follow within QUIET_MS of one another belong to it and are dropped, so that the rest of a number is never taken for
the next code. Times are elapsed milliseconds, told by `on_time`. How each odd input ends:
- # or * alone, #1 alone, a number with digits missing: "code-time", "number-empty", "number-incomplete" by timer;
- another key after # or *: "code"; a digit the map has no number for: "number-unknown"; the 33rd: "number-long";
- a # or * the map does not allow there, swap, or a legend without a meaning: "key"; all of it too slow: "time";
- a gap that may have hidden a key: "tainted"; erasing the code, or the cancel key: Cancelled.
"""

from collections import namedtuple

from phoneterm.core import digit_map as verdicts
from phoneterm.core.messages import MAX_NUMBER_CHARS, Rejected

QUIET_MS = 700
_KIND_OF_CODE = {"#1": "blind", "*2": "attended"}
_DIGITS = "0123456789"

Progressed = namedtuple("Progressed", ("keyed",))  # a key was taken; the number so far ("" while there is none)
Opened = namedtuple("Opened", ("kind",))  # the code is complete
Dialled = namedtuple("Dialled", ("kind", "number", "number_class"))
Cancelled = namedtuple("Cancelled", ("by",))  # "cancel", "erase" or whoever called `close`

_CLOSED, _CODE, _NUMBER, _QUIET = range(4)


class Collector:
    """One keypad's sequence. `settings` has digit_map, roles, code_ms, digit_ms and total_ms (see config.Config)."""

    def __init__(self, settings):
        self._settings = settings
        self._stage = _CLOSED
        self._code = ""
        self._kind = None
        self._keyed = ""
        self._state = 0
        self._since_key_ms = 0
        self._since_start_ms = 0

    @property
    def is_open(self):
        """Say whether a sequence is under way."""
        return self._stage == _CODE or self._stage == _NUMBER

    @property
    def is_quiet(self):
        """Say whether keys are still kept out after the last sequence."""
        return self._stage == _QUIET

    @property
    def kind(self):
        """Return the kind of the sequence under way, or None before its code is complete."""
        return self._kind

    @property
    def possible_classes(self):
        """Return the classes that the number under way can still become."""
        return self._settings.digit_map.possible_classes(self._state)

    def configure(self, settings):
        """Use other settings from the next sequence on; ValueError while one is open."""
        if self.is_open:
            raise ValueError("settings cannot change while a sequence is open")
        self._settings = settings

    def on_time(self, elapsed_ms):
        """Let time pass; return how the sequence ended by it, or None."""
        if self._stage == _CLOSED:
            return None
        self._since_key_ms += elapsed_ms
        if self._stage == _QUIET:
            if self._since_key_ms >= QUIET_MS:
                self._stage = _CLOSED
            return None
        self._since_start_ms += elapsed_ms
        settings = self._settings
        if self._stage == _CODE:
            return self._end(Rejected("code-time", "")) if self._since_key_ms >= settings.code_ms else None
        if self._since_key_ms >= settings.digit_ms:
            return self._finish(False)
        return self._end(Rejected("time", "")) if self._since_start_ms >= settings.total_ms else None

    def on_press(self, legend):
        """Take one pressed key; return what came of it, or None for a key that means nothing here."""
        self._since_key_ms = 0
        if self._stage == _QUIET:
            return None
        if self._stage == _CLOSED:
            return self._begin(legend)
        roles = self._settings.roles
        if legend == roles.cancel:
            return self._end(Cancelled("cancel"))
        if legend == roles.erase:
            return self._erase()
        if self._stage == _CODE:
            return self._take_code(legend)
        if legend == roles.commit:
            return self._finish(True)
        return self._take(legend)

    def on_release(self):
        """Take the release of any key: it is not quiet yet."""
        if self._stage == _QUIET:
            self._since_key_ms = 0

    def taint(self):
        """Refuse the open sequence, because a key may have been missed; None when there is none."""
        return self._end(Rejected("tainted", "")) if self.is_open else None

    def close(self, reason):
        """End the open sequence for a reason from outside; None when there is none."""
        return self._end(Cancelled(reason)) if self.is_open else None

    def _begin(self, legend):
        if legend not in "#*":
            return None
        self._stage = _CODE
        self._code = legend
        self._since_start_ms = 0
        return Progressed("")

    def _take_code(self, legend):
        kind = _KIND_OF_CODE.get(self._code + legend)
        if kind is None:
            return self._end(Rejected("code", ""))
        self._kind = kind
        self._stage = _NUMBER
        self._state = self._settings.digit_map.start()
        return Opened(kind)

    def _take(self, legend):
        digit_map = self._settings.digit_map
        is_digit = legend in _DIGITS
        if not is_digit and legend not in "*#":
            return self._end(Rejected("key", ""))
        if legend != "#" and len(self._keyed) == MAX_NUMBER_CHARS:
            return self._end(Rejected("number-long", ""))
        self._state = digit_map.step(self._state, legend)
        if not self._state:
            return self._end(Rejected("number-unknown" if is_digit else "key", ""))
        if legend != "#":
            self._keyed += legend
        if digit_map.verdict(self._state) == verdicts.COMPLETE:
            return self._dial()
        return Progressed(self._keyed)

    def _erase(self):
        if not self._keyed:
            return self._end(Cancelled("erase"))
        self._keyed = self._keyed[:-1]
        digit_map = self._settings.digit_map
        self._state = digit_map.start()
        for legend in self._keyed:
            self._state = digit_map.step(self._state, legend)
        return Progressed(self._keyed)

    def _finish(self, is_committed):
        """Dial what has been keyed if it is a number; `is_committed` when a key said so, not the timer."""
        verdict = self._settings.digit_map.verdict(self._state)
        if verdict == verdicts.TIMER or (verdict == verdicts.COMMIT and is_committed):
            return self._dial()
        return self._end(Rejected("number-incomplete" if self._keyed else "number-empty", ""))

    def _dial(self):
        return self._end(Dialled(self._kind, self._keyed, self._settings.digit_map.class_at(self._state)))

    def _end(self, event):
        self._stage = _QUIET
        self._since_key_ms = 0
        self._kind = None
        self._code = self._keyed = ""
        self._state = 0
        return event
