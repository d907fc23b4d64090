"""What the user sees and hears: the standing signal, and how long the display shows a message before the standing text.

Does not decide what happened. Every method returns its actions, Indicate and Show, and the constant () when there are
none. Times in milliseconds.
"""

from phoneterm.core import actions

NOTICE_MS = 5000
SAME_MS = 1000  # the same momentary signal twice within this time is heard once

_ROWS = (  # a standing signal, and the two lines while it stands
    ("starting", "Starting", ""),
    ("no-link", "No link", ""),
    ("ready", "Ready", ""),
    ("keypad-fault", "Ready", "a key is stuck"),
    ("open", "Transfer to", ""),
    ("consulting", "Caller on hold", "A join  C back"),
)


def _pack(rows):
    """Return the rows as one text, "/signal=line1/line2" each, with a / at the end; half the memory of a dict."""
    return "/".join([""] + [signal + "=" + line1 + "/" + line2 for signal, line1, line2 in rows] + [""])


_TABLE = _pack(_ROWS)


class Feedback:
    """The terminal's face; `standing` is the signal that stands, None before the first.

    cause: two lines that say why there is no link, for as long as there is none; None when that is not known.
    """

    def __init__(self):
        self.standing = self.cause = None
        self._last = None
        self._same_ms = self._notice_ms = 0

    def on_time(self, elapsed_ms):
        """Let time pass; a message on the display may end."""
        if self._same_ms > 0:
            self._same_ms -= elapsed_ms
        if self._notice_ms > 0:
            self._notice_ms -= elapsed_ms
            if self._notice_ms <= 0:
                return self.rest()
        return ()

    def stand(self, signal):
        """Make this the standing signal; do nothing if it already is."""
        if signal == self.standing:
            return ()
        self.standing = signal
        indicated = (actions.Indicate(signal),)
        return indicated if self._notice_ms > 0 else indicated + self.rest()

    def explain(self, cause):
        """Note the lines that say why there is no link, or None."""
        self.cause = cause
        return () if self._notice_ms > 0 or self.standing in (None, "open") else self.rest()

    def announce(self, signal, line1, line2):
        """Report what happened: a signal (None or "": only the display), and two lines for a while."""
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
        """Show the text of the standing signal, or why there is no link."""
        if self.cause and self.standing in ("starting", "no-link"):
            return self.show(*self.cause)
        at = _TABLE.find("/" + self.standing + "=") + len(self.standing) + 2
        line1, line2, _ = _TABLE[at:].split("/", 2)
        return self.show(line1, line2)
