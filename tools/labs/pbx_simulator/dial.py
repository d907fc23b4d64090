"""Asterisk's Dial: rings one or several simulated phones until one answers, all refuse, or time is up.

Does not decide what the dialplan does afterwards: either `on_answer` or `on_failure` is called, once.
"""

import asyncio
from collections.abc import Callable

from pbx_simulator.parties import Channel, Parties

# behaviour of a phone -> (hang-up cause, DialStatus)
REFUSALS = {"busy": ("17", "BUSY"), "reject": ("21", "NOANSWER")}


def status_of(cause: str) -> str:
    """Return the DialStatus that follows from a hang-up cause."""
    return next((status for known, status in REFUSALS.values() if known == cause), "NOANSWER")


class Dial:
    """One Dial from a channel to phones."""

    def __init__(
        self,
        parties: Parties,
        caller: Channel,
        on_answer: Callable[["Dial", Channel], None],
        on_failure: Callable[["Dial", str, str], None],
    ) -> None:
        """Nothing rings yet. on_failure gets DialStatus and hang-up cause."""
        self.caller = caller
        self.callees: list[Channel] = []
        self._parties = parties
        self._on_answer = on_answer
        self._on_failure = on_failure
        self._timer: asyncio.TimerHandle | None = None
        self._outcome = ("CHANUNAVAIL", "3")

    def start(self, phones: dict[str, str], ring_s: float) -> None:
        """Call the phones; phones: endpoints and their behaviour."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(ring_s, self._give_up)
        for endpoint, behaviour in phones.items():
            if behaviour == "unavailable":
                continue
            number = self.caller.extension if endpoint == "trunk" else endpoint
            callee = self._parties.add_phone(endpoint, number, "", "Down", self.caller.linkedid)
            callee.application, callee.application_data = "AppDial", "(Outgoing Line)"
            self.callees.append(callee)
            self._parties.connect_line(callee, self.caller.number)
            self._parties.dialled("DialBegin", self.caller, callee)
            self._parties.connect_line(self.caller, number)
            loop.call_soon(self._react, callee, behaviour)
        if not self.callees:
            loop.call_soon(self._fail)

    def answer(self, callee: Channel) -> None:
        """This phone is picked up; the others stop ringing."""
        self._parties.set_state(callee, "Up")
        for other in tuple(self.callees):
            if other is not callee:
                self._stop_ringing(other, "CANCEL", "26")
        self.callees.remove(callee)
        self.stop_timer()
        self._parties.dialled("DialEnd", self.caller, callee, "ANSWER")
        self._on_answer(self, callee)

    def hand_over(self, callee: Channel, picker: Channel) -> None:
        """Somebody else picks up what rings at this phone; the others stop ringing.

        As in Asterisk the family of the picker changes to the caller's, and no event says so until its next Hold.
        """
        self._parties.set_state(picker, "Up")
        self._parties.emit("Pickup", [*picker.headers(), *callee.headers("Target")])
        self.callees.remove(callee)
        self._parties.remove(callee, "26")
        for other in tuple(self.callees):
            self._stop_ringing(other, "CANCEL", "26")
        self.stop_timer()
        picker.application, picker.application_data = "AppDial", "(Outgoing Line)"
        self._parties.dialled("DialEnd", self.caller, picker, "ANSWER")
        self._on_answer(self, picker)
        picker.linkedid = self.caller.linkedid

    def refuse(self, callee: Channel, status: str, cause: str) -> None:
        """This phone does not take the call; the Dial fails with the last one."""
        self._outcome = (status, cause)
        self._parties.emit("HangupRequest", [*callee.headers(), ("Cause", cause)])
        self._stop_ringing(callee, status, cause)
        if not self.callees:
            self._fail()

    def cancel(self) -> None:
        """The caller is gone: stop all ringing, and report to nobody."""
        self.stop_timer()
        for callee in tuple(self.callees):
            self._stop_ringing(callee, "CANCEL", "16")

    def _react(self, callee: Channel, behaviour: str) -> None:
        if callee.is_gone:
            return
        if behaviour in REFUSALS:
            cause, status = REFUSALS[behaviour]
            self.refuse(callee, status, cause)
            return
        self._parties.set_state(callee, "Ringing")
        self._parties.dialled("DialState", self.caller, callee, "RINGING")
        if self.caller.other_half is not None:
            self._parties.set_state(self.caller.other_half, "Ringing")
            self._parties.dialled("DialState", None, self.caller.other_half, "RINGING")
        if behaviour == "answer":
            self.answer(callee)

    def _stop_ringing(self, callee: Channel, status: str, cause: str) -> None:
        self.callees.remove(callee)
        self._parties.dialled("DialEnd", self.caller, callee, status)
        self._parties.remove(callee, cause)

    def _give_up(self) -> None:
        self._outcome = ("NOANSWER", "16")
        for callee in tuple(self.callees):
            self._stop_ringing(callee, "NOANSWER", "0")
        self._fail()

    def _fail(self) -> None:
        self.stop_timer()
        if not self.caller.is_gone:
            self._on_failure(self, *self._outcome)

    def stop_timer(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
