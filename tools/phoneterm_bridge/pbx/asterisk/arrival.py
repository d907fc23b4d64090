"""Whether the party that a blind transfer sent away was answered, according to Asterisk's events.

Does no input or output, and nobody waits for it: the terminal was told "done" when the party was sent, because the
user is out of the call. A machine that answers without a Dial (a menu, voicemail) makes no event in the AMI class
call; then the later hang-up only shows that the party has left.
"""

from collections.abc import Callable

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.evidence import Evidence

# No other event says anything about a party on the way.
TELLING_EVENTS = frozenset(("DialBegin", "DialEnd", "HangupRequest", "Hangup"))


class Arrival:
    """One party on the way. `tell` gets None when somebody answered, or the wire reason why nobody did."""

    __slots__ = ("_colleagues", "_evidence", "_is_held_back", "_party", "_reason", "_tell", "is_over")

    def __init__(self, party: str, tell: Callable[[str | None], None]) -> None:
        """Follow the channel with this Uniqueid, from before it is sent; news is kept until `release`."""
        self.is_over = False
        self._party = party
        self._tell = tell
        self._colleagues: set[str] = set()
        self._evidence = Evidence()
        self._is_held_back = True
        self._reason: str | None = None

    def release(self) -> None:
        """Report what is known so far, and report at once from now on."""
        self._is_held_back = False
        if self.is_over:
            self._tell(self._reason)

    def apply(self, event: Message) -> None:
        """Take in one event."""
        name, who = event.get("Event"), event.get("Uniqueid")
        if self.is_over:
            return
        if name in ("DialBegin", "DialEnd") and who == self._party:
            self._colleagues.add(event.get("DestUniqueid"))
            self._evidence.note_dial(event.get("DialStatus"))
            if event.get("DialStatus") == "ANSWER":
                self._end(None)
        elif name == "Hangup" and who in self._colleagues:
            self._evidence.note_cause(event.get("Cause"))
        elif name == "HangupRequest" and who == self._party:
            self._end(self._evidence.reason or "caller-gone")
        elif name == "Hangup" and who == self._party:
            self._evidence.note_cause(event.get("Cause"))
            self._end(self._evidence.reason or "unavailable")

    def _end(self, reason: str | None) -> None:
        self.is_over, self._reason = True, reason
        if not self._is_held_back:
            self._tell(reason)
