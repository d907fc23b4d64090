"""What the user perceives: which signal stands, and for how long the display shows a message before the standing text.

Does not decide what happened. Every method returns its actions, Indicate and Show, and the constant () when there are
none. Times in milliseconds.
"""

from phoneterm.core import actions

NOTICE_MS = 5000
SAME_MS = 1000  # the same momentary signal twice within this is one piece of news, heard once

_LINES = {  # first/second line
    "starting": "Starting/",
    "no-link": "No link/",
    "ready": "Ready/",
    "keypad-fault": "Ready/a key is stuck",
    "open": "Transfer to/",
    "consulting": "Caller on hold/A join  C back",
}


class Feedback:
    """The terminal's face; `standing` is the signal that stands, None before the first."""

    def __init__(self):
        self.standing = None
        self._last = None
        self._same_ms = self._notice_ms = 0

    def on_time(self, elapsed_ms):
        """Let time pass; a message on the display ends some time."""
        if self._same_ms > 0:
            self._same_ms -= elapsed_ms
        if self._notice_ms > 0:
            self._notice_ms -= elapsed_ms
            if self._notice_ms <= 0:
                return self.rest()
        return ()

    def stand(self, signal):
        """Let a standing signal stand from now on; nothing when it already does."""
        if signal == self.standing:
            return ()
        self.standing = signal
        indicated = (actions.Indicate(signal),)
        return indicated if self._notice_ms > 0 else indicated + self.rest()

    def announce(self, signal, line1, line2):
        """Say what happened: a signal (None or "": only the display), and two lines for a while."""
        indicated = ()
        if signal and (signal != self._last or self._same_ms <= 0):
            indicated = (actions.Indicate(signal),)
            self._last = signal
            self._same_ms = SAME_MS
        shown = self.show(line1, line2)
        self._notice_ms = NOTICE_MS
        return indicated + shown

    def show(self, line1, line2):
        """Show two lines, the end of each if it is too long, until something else is shown."""
        self._notice_ms = 0
        return (actions.Show(line1[-16:], line2[-16:]),)

    def rest(self):
        """Show the text of the standing signal."""
        line1, _, line2 = _LINES[self.standing].partition("/")
        return self.show(line1, line2)
