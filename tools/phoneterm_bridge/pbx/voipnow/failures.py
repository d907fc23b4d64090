"""What can come of a request to VoipNow instead of an answer. Does not decide what follows.

The difference that counts: after `NotDone` and `Refused` nothing has happened there; after `NoAnswer` it may have.
"""


class NotDone(Exception):
    """The request did not reach VoipNow, or was not carried out; the text says why in a few words."""


class NoAnswer(Exception):
    """The request was sent, and no answer came that says what has happened; the text says what came instead."""


class Refused(Exception):
    """VoipNow answered that it will not do that. status: its HTTP status; code: its own word for it, "" for none."""

    def __init__(self, status: int, code: str) -> None:
        """Keep what was answered."""
        super().__init__(f"it answers {status}{f' ({code})' if code else ''}")
        self.status = status
        self.code = code


class LedElsewhere(NotDone):
    """VoipNow answered that what was asked for is elsewhere, where the bridge does not go."""


class TooMany(NotDone):
    """VoipNow wants to be asked less often. after_s: when again, as it says; None when it does not."""

    def __init__(self, after_s: float | None) -> None:
        """Keep what was answered."""
        super().__init__("it is asked too often (429)")
        self.after_s = after_s


class AppRefused(Exception):
    """VoipNow gives the app no token, or takes none that it has given; the text is the reason."""


FAILURES = (NotDone, NoAnswer, Refused, AppRefused)  # each of them can come instead of an answer
