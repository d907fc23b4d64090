"""What becomes of the party that a blind transfer sent away, according to Asterisk's events and one look at it.

Does no input or output, and nobody waits for it: the terminal was told "done" when the party was sent, because the
user is out of the call. Only what was seen is told. Somebody answered: a Dial says so, or the party came together with
somebody in a bridge (a parked caller who is fetched). Nobody answered: a Dial, a hang-up cause or an application that
plays the busy tone says so. A machine that answers without a Dial makes no event in the AMI class call: the name of the
channel's application tells mailbox, queue and announcement apart. For a parked party there is an event; Asterisk parks
whom a blind transfer sends to a parking number without running its dialplan.
"""

from collections.abc import Callable

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.evidence import Evidence
from phoneterm_bridge.pbx.port import ANSWERED, LEFT_AGAIN, NOT_ANSWERED

# No other event says anything about a party on the way.
TELLING_EVENTS = frozenset(
    ("DialBegin", "DialEnd", "BridgeEnter", "BridgeLeave", "ParkedCall", "HangupRequest", "Hangup")
)

_PLACES = {
    "voicemail": "mailbox", "voicemailmain": "mailbox", "queue": "queue", "park": "parking",
    "parkandannounce": "parking", "confbridge": "conference", "meetme": "conference", "playback": "announcement",
    "background": "announcement", "read": "announcement", "playtones": "announcement",
    "musiconhold": "announcement", "waitexten": "announcement",
}  # fmt: skip
_TONES = {"busy": "BUSY", "congestion": "CONGESTION"}
_ON_THE_WAY = frozenset(
    ("", "answer", "appdial", "appqueue", "dial", "gosub", "goto", "macro", "progress", "ringing", "set", "wait")
)
_FOR_TALKS = ("basic", "")  # types of bridge; not those of conferences, parking and other waiting


class Arrival:
    """One party on the way. `tell` gets a word of `pbx.port.PbxListener.on_arrival` and a wire reason or None."""

    __slots__ = ("_bridge", "_colleagues", "_dialled", "_evidence", "_held_back", "_place", "_tell", "is_over", "party")

    def __init__(self, party: str, tell: Callable[[str, str | None], None]) -> None:
        """Follow the channel with this Uniqueid, from before it is sent; news is kept until `release`."""
        self.is_over = False
        self.party = party
        self._tell = tell
        self._colleagues: set[str] = set()
        self._dialled: set[str] = set()  # those of them that are being called now
        self._bridge = ""
        self._place = ""
        self._evidence = Evidence()
        self._held_back: list[tuple[str, str | None]] | None = []

    @property
    def is_quiet(self) -> bool:
        """Say whether it is still on the way, and nobody is being called for it."""
        return not self.is_over and not self._dialled

    def release(self) -> None:
        """Report what is known so far, and report at once from now on."""
        held_back, self._held_back = self._held_back or [], None
        for word, reason in held_back:
            self._tell(word, reason)

    def apply(self, event: Message) -> None:
        """Take in one event."""
        name, who = event.get("Event"), event.get("Uniqueid")
        if self.is_over:
            return
        if name in ("DialBegin", "DialEnd") and who == self.party:
            self._on_dial(event)
        elif name == "DialBegin":
            self._evidence.note_dialler(event.get("Channel"))
        elif name in ("BridgeEnter", "BridgeLeave"):
            self._on_bridge(event)
        elif name == "ParkedCall" and event.get("ParkeeUniqueid") == self.party and not self._place:
            self._note_place("parking")
        elif name == "Hangup" and who in self._colleagues:
            self._dialled.discard(who)
            self._evidence.note_cause(event.get("Cause"))
        elif name in ("HangupRequest", "Hangup") and who == self.party:
            self._on_end(event)

    def note_application(self, name: str) -> None:
        """The party's channel runs this application of the dialplan."""
        name = name.lower()
        is_misleading = self._dialled and name != "queue"  # a queue calls its members all the time
        if self.is_over or self._place or is_misleading or name in _ON_THE_WAY:
            return
        if name in _TONES:
            self._evidence.note_end(_TONES[name])
            self._end(NOT_ANSWERED, self._evidence.reason)
            return
        self._note_place(_PLACES.get(name, "machine"))

    def _note_place(self, place: str) -> None:
        self._place = place
        self._report(place, self._evidence.reason)

    def _on_dial(self, event: Message) -> None:
        colleague, status = event.get("DestUniqueid"), event.get("DialStatus")
        self._evidence.note_dial(status, event.get("DestChannel"))
        if event.get("Event") == "DialBegin":
            self._colleagues.add(colleague)
            self._dialled.add(colleague)
        else:
            self._dialled.discard(colleague)
        if status == "ANSWER":
            self._end(ANSWERED, None)

    def _on_bridge(self, event: Message) -> None:
        """The party, or whoever comes to it, enters a bridge."""
        bridge, is_own = event.get("BridgeUniqueid"), event.get("Uniqueid") == self.party
        if event.get("Event") == "BridgeLeave":
            self._bridge = "" if is_own else self._bridge
        elif is_own:
            is_for_two = event.get("BridgeType") in _FOR_TALKS
            self._bridge = bridge if is_for_two else ""
            if is_for_two and event.get("BridgeNumChannels") not in ("", "0", "1"):
                self._end(ANSWERED, None)
        elif bridge == self._bridge != "":
            self._end(ANSWERED, None)

    def _on_end(self, event: Message) -> None:
        """The party is gone, by itself (HangupRequest) or because its dialplan ended."""
        is_by_itself = event.get("Event") == "HangupRequest"
        if is_by_itself and self._dialled:
            self._end(NOT_ANSWERED, self._evidence.reason or "caller-gone")
            return
        if not is_by_itself:
            self._evidence.note_cause(event.get("Cause"))
        if self._evidence.reason and not self._place:
            self._end(NOT_ANSWERED, self._evidence.reason)
        else:
            self._end(LEFT_AGAIN, None)

    def _end(self, word: str, reason: str | None) -> None:
        self.is_over = True
        self._report(word, reason)

    def _report(self, word: str, reason: str | None) -> None:
        if self._held_back is None:
            self._tell(word, reason)
        else:
            self._held_back.append((word, reason))
