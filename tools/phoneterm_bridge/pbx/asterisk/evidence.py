"""Why a target was not reached, pieced together from Asterisk's events.

Does not know who waits for the target. A hang-up cause says more than the status of a Dial: a rejected call is
NOANSWER to the Dial, and 21 to the channel. Source: ITU-T Q.850; Asterisk's app_dial; recorded in the lab.
"""

_CAUSES = {
    "1": "unavailable", "3": "unavailable", "17": "busy", "18": "no-answer", "19": "no-answer", "20": "unavailable",
    "21": "refused-by-target", "27": "unavailable", "34": "congestion", "38": "congestion", "42": "congestion",
}  # fmt: skip
_DIAL_STATUSES = {
    "BUSY": "busy", "NOANSWER": "no-answer", "CHANUNAVAIL": "unavailable", "CONGESTION": "congestion",
}  # fmt: skip
_TONES = ("BUSY", "CONGESTION", "CHANUNAVAIL")


class Evidence:
    """What is known so far about one target."""

    __slots__ = ("_cause", "_dial_status")

    def __init__(self) -> None:
        """Nothing is known."""
        self._cause: str | None = None
        self._dial_status: str | None = None

    @property
    def reason(self) -> str | None:
        """The wire reason, or None when there is no sign of failure."""
        return self._cause or self._dial_status

    def note_cause(self, cause: str) -> None:
        """A channel on the way to the target was hung up."""
        self._cause = _CAUSES.get(cause, self._cause)

    def note_dial(self, status: str) -> None:
        """The Dial to one phone of the target ended (or began, with no status); the last one counts."""
        self._dial_status = _DIAL_STATUSES.get(status, self._dial_status)

    def note_end(self, status: str) -> bool:
        """The way to the target as a whole ended; say whether the dialplan plays a tone to whoever waits.

        A dialplan that plays the congestion tone without having called anybody knows of no phone to call: FreePBX does
        so where a phone is off.
        """
        without_dial = "unavailable" if status == "CONGESTION" else _DIAL_STATUSES.get(status)
        self._dial_status = self._dial_status or without_dial
        return status in _TONES
