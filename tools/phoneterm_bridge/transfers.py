"""Follows what the PBX was asked to its true end, and tells terminal and journal. Does not decide or ask anything.

A following belongs to one command and one call reference. A command's results only go forward: accepted, ringing,
consulting, then one final state; the journal has each, and the terminal is not told one that is out of date before its
turn to be told has come. complete, cancel and swap share the reference of the transfer they act on and end
with it. A following whose call has left the PBX's view ends as unknown when nothing more is heard of it; one that was
lost from view while the PBX was away ends as unknown at once. A blind transfer is done when the caller has been sent;
whether anybody answered there is one more line in the journal, whenever it comes.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

import structlog
from phoneterm.core.messages import FINAL_STATES

from phoneterm_bridge.afterwards import Afterwards
from phoneterm_bridge.pbx_port import Call
from phoneterm_bridge.policy.rules import TRANSFERS
from phoneterm_bridge.store.journal import Event, Journal, Recorded
from phoneterm_bridge.terminals.speaker import Speaker

# How long the PBX may still report on a transfer after the user's own leg is gone: longer than it rings a colleague
# and, where it is so configured, calls the user back twice.
_SILENCE_S = 60
_MOST_SENT = 1000
_FORWARD = {"accepted": 1, "ringing": 2, "consulting": 3}


@dataclass(eq=False, slots=True)
class Following:
    """One command on its way; `asked` is done once the PBX has answered (or can no longer)."""

    tid: str
    command_id: str
    op: str
    call: Call
    asked: asyncio.Future[None]
    recorded: Recorded | None = None
    step: int = 0
    untold: tuple[str, str | None] | None = None  # the last result, while the terminal has yet to be told
    silence: asyncio.TimerHandle | None = None
    is_external: bool = False

    def note_answer(self) -> None:
        """The PBX has answered, or can no longer."""
        if not self.asked.done():
            self.asked.set_result(None)


class Transfers:
    """All commands whose end is not known yet."""

    def __init__(self, speaker: Speaker, journal: Journal, afterwards: Afterwards) -> None:
        self._speaker = speaker
        self._afterwards = afterwards
        self._journal = journal
        self._log = structlog.get_logger().bind()  # made once: a command has one line
        self._followings: dict[Following, None] = {}
        self._by_ref: dict[str, list[Following]] = {}
        self._sent: OrderedDict[str, Recorded] = OrderedDict()

    @property
    def count(self) -> int:
        """How many commands have no end yet."""
        return len(self._followings)

    @property
    def external_count(self) -> int:
        """How many transfers to numbers outside have no end yet."""
        return sum(following.is_external for following in self._followings)

    def begin(self, tid: str, command_id: str, op: str, call: Call) -> Following:
        """Take a call for a command; from now on a second transfer of it is refused."""
        following = Following(tid, command_id, op, call, asyncio.get_running_loop().create_future())
        self._followings[following] = None
        self._by_ref.setdefault(call.ref, []).append(following)
        return following

    def transfer_of(self, ref: str) -> Following | None:
        """Return the transfer that is under way on a call, if any."""
        found = (following for following in self._by_ref.get(ref, ()) if following.op in TRANSFERS)
        return next(found, None)

    def report(self, following: Following, state: str, reason: str | None) -> None:
        """Take one command to a result state: journal it, tell the terminal soon; going backwards changes nothing."""
        if following not in self._followings:
            return
        if state in FINAL_STATES:
            self.drop(following)
            self._remember_sent(following, state)
        elif _FORWARD[state] <= following.step:
            return
        else:
            following.step = _FORWARD[state]
        self.note(following, Event("result", state, reason))
        is_waiting, following.untold = following.untold is not None, (state, reason)
        if not is_waiting:
            self._afterwards.do(self._tell, following)

    def _tell(self, following: Following) -> None:
        """Tell the terminal how far its command has come."""
        if following.untold is None:
            return
        (state, reason), following.untold = following.untold, None
        self._speaker.say_result(following.tid, following.command_id, state, reason)
        words = {"tid": following.tid, "id": following.command_id, "op": following.op, "state": state}
        say = self._log.info if state in FINAL_STATES else self._log.debug
        say("result", **words, **({"reason": reason} if reason else {}))

    def drop(self, following: Following) -> None:
        """Forget a command; nothing is told."""
        following.note_answer()
        if following.silence is not None:
            following.silence.cancel()
        if following in self._followings:
            del self._followings[following]
            self._by_ref[following.call.ref].remove(following)
            if not self._by_ref[following.call.ref]:
                del self._by_ref[following.call.ref]

    def on_progress(self, ref: str, state: str, reason: str | None) -> None:
        """The PBX says how the transfer on a call went on; commands that act on it end with it."""
        for following in tuple(self._by_ref.get(ref, ())):
            self.note(following, Event("event", state, reason))
            if following.op in TRANSFERS:
                self.report(following, state, reason)
            elif state in FINAL_STATES:
                has_worked = (following.op, state) in (("complete", "done"), ("cancel", "returned"))
                self.report(following, "done" if has_worked else state, None if has_worked else reason)

    def on_arrival(self, ref: str, reason: str | None) -> None:
        """Journal whether somebody answered where a blind transfer sent the caller."""
        recorded = self._sent.pop(ref, None)
        if recorded is not None:
            self._journal.append(recorded, Event("arrival", "not-answered" if reason else "answered", reason))

    def on_resync(self, endpoint: str, calls: tuple[Call, ...]) -> None:
        """The PBX was away and is back with these calls of an endpoint: what is not going on any more is unknown."""
        going_on = {call.ref for call in calls if call.state == "consulting"}
        for following in tuple(self._followings):
            is_asked = following.call.endpoint == endpoint and following.asked.done()
            if is_asked and following.call.ref not in going_on:
                self.report(following, "unknown", None)

    def on_calls(self, endpoint: str, refs: set[str]) -> None:
        """The PBX has only these calls of an endpoint now: whatever is followed beyond them gets its last chance."""
        for following in self._followings:
            if following.call.endpoint != endpoint or not following.asked.done():
                continue
            if following.call.ref in refs:
                if following.silence is not None:
                    following.silence.cancel()
                following.silence = None
            elif following.silence is None:
                loop = asyncio.get_running_loop()
                following.silence = loop.call_later(_SILENCE_S, self.report, following, "unknown", None)

    def _remember_sent(self, following: Following, state: str) -> None:
        if (following.op, state) == ("blind", "done") and following.recorded is not None:
            self._sent[following.call.ref] = following.recorded
            while len(self._sent) > _MOST_SENT:
                self._sent.popitem(last=False)

    def endpoints(self) -> set[str]:
        """Return the endpoints that have something followed."""
        return {following.call.endpoint for following in self._followings}

    def note(self, following: Following, event: Event) -> None:
        """Journal one more line of a command."""
        if following.recorded is not None:
            self._journal.append(following.recorded, event)

    def stop(self) -> None:
        """Stop waiting for silence; what has no end yet becomes unknown in the journal at the next start."""
        for following in self._followings:
            if following.silence is not None:
                following.silence.cancel()
