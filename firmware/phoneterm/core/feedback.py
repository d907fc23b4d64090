"""What the user perceives: which signal stands, and for how long the display shows a message before the standing text.

Does not decide what happened. Appends Indicate and Show to the list of actions it is given. Times in milliseconds.
"""

from phoneterm.core.actions import Indicate, Show

NOTICE_MS = 5000
_SAME_MS = 1000  # the same momentary signal twice within this is one piece of news, heard once

_LINES = {
    "starting": ("Starting", ""),
    "no-link": ("No link", ""),
    "ready": ("Ready", ""),
    "keypad-fault": ("Ready", "A key is stuck"),
    "open": ("Transfer to", ""),
    "consulting": ("Caller on hold", "A join  C back"),
}


class Feedback:
    """The terminal's face; `standing` is the signal that stands, None before the first."""

    def __init__(self):
        self.standing = None
        self._last = None
        self._since_last_ms = 0
        self._notice_ms = 0

    def on_time(self, elapsed_ms):
        """Let time pass; return the Show that ends a message on the display, or None."""
        if self._last is not None:
            self._since_last_ms += elapsed_ms
            if self._since_last_ms >= _SAME_MS:
                self._last = None
        if self._notice_ms > 0:
            self._notice_ms -= elapsed_ms
            if self._notice_ms <= 0:
                return Show(*_LINES[self.standing])
        return None

    def stand(self, signal, actions):
        """Let a standing signal stand from now on; nothing when it already does."""
        if signal == self.standing:
            return
        self.standing = signal
        actions.append(Indicate(signal))
        if self._notice_ms <= 0:
            actions.append(Show(*_LINES[signal]))

    def click(self, actions):
        """Let the user hear that a key was taken."""
        actions.append(Indicate("key"))

    def tell(self, signal, line1, line2, actions):
        """Say what happened: a signal (None: only the display), and two lines for a while."""
        if signal is not None and signal != self._last:
            actions.append(Indicate(signal))
            self._last = signal
            self._since_last_ms = 0
        self.show(line1, line2, actions)
        self._notice_ms = NOTICE_MS

    def show(self, line1, line2, actions):
        """Show two lines, the end of each if it is too long, until something else is shown."""
        actions.append(Show(line1[-16:], line2[-16:]))
        self._notice_ms = 0

    def rest(self, actions):
        """Show the standing text again, at once."""
        self.show(*_LINES[self.standing], actions)
