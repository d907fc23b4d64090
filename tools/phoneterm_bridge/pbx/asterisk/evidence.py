"""Why a target was not reached, pieced together from Asterisk's events.

Does not know who waits for the target. A hang-up cause says more than the status of a Dial: a rejected call is
NOANSWER to the Dial, and 21 to the channel. But once the dialplan plays a tone, the cause of a hang-up is the tone's:
Asterisk notes 34 or 17 at the channel a moment after the tone began, perhaps after the cause of its release.
Source: ITU-T Q.850; Asterisk's app_dial and pbx_builtins; recorded in the lab.
"""

from phoneterm_bridge.pbx.asterisk.channel_name import beginning_of_halves, is_first_half

_CAUSES = {
    "1": "unavailable", "3": "unavailable", "17": "busy", "18": "no-answer", "19": "no-answer", "20": "unavailable",
    "21": "refused-by-target", "27": "unavailable", "34": "congestion", "38": "congestion", "42": "congestion",
}  # fmt: skip
_DIAL_STATUSES = {
    "BUSY": "busy", "NOANSWER": "no-answer", "CHANUNAVAIL": "unavailable", "CONGESTION": "congestion",
}  # fmt: skip
# A dialplan that plays the congestion tone without having called anybody knows of no phone to call: FreePBX does so
# where a phone is off.
_WITHOUT_DIAL = {"CONGESTION": "CHANUNAVAIL"}
_TONES = ("BUSY", "CONGESTION", "CHANUNAVAIL")


class Evidence:
    """What is known so far about one target."""

    __slots__ = ("_cause", "_dial_status", "_has_tone", "_silent")

    def __init__(self) -> None:
        """Nothing is known."""
        self._cause: str | None = None
        self._dial_status: str | None = None
        self._has_tone = False
        self._silent: set[str] = set()  # the Local channels to colleagues that have not dialled anybody

    @property
    def reason(self) -> str | None:
        """The wire reason, or None when there is no sign of failure."""
        return self._cause or self._dial_status

    def note_cause(self, cause: str) -> None:
        """A channel on the way to the target was hung up."""
        if not self._has_tone:
            self._cause = _CAUSES.get(cause, self._cause)

    def note_dial(self, status: str, colleague: str) -> None:
        """The Dial to one channel of the target ended (or began, with no status); the last one counts."""
        if is_first_half(colleague):
            beginning = beginning_of_halves(colleague)
            if not status:
                self._silent.add(beginning)
            elif beginning in self._silent:
                status = _WITHOUT_DIAL.get(status, status)
        self._dial_status = _DIAL_STATUSES.get(status, self._dial_status)

    def note_dialler(self, channel: str) -> None:
        """This channel, perhaps half 2 of a Local channel to a colleague, dials somebody."""
        self._silent.discard(channel.removesuffix("2"))

    def note_end(self, status: str) -> bool:
        """The way to the target as a whole ended; say whether the dialplan plays a tone to whoever waits."""
        self._dial_status = self._dial_status or _DIAL_STATUSES.get(_WITHOUT_DIAL.get(status, status))
        self._has_tone = status in _TONES
        return self._has_tone
