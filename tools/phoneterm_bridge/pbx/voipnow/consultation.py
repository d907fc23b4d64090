"""One composed attended transfer, as the lists of calls show it: what follows from each. Does not ask or act itself.

The user's call is on hold, and the user calls the colleague; both are the user's own calls. Lists do not show who ended
a call, so the end of the call to the colleague means that the caller comes back, whoever has hung up. Only the complete
key sends the caller to the colleague. Times are monotonic seconds.
"""

from typing import NamedTuple

from phoneterm_bridge.pbx.voipnow.call_table import Leg

SHOWN_S = 10.0  # within this time a list shows what VoipNow has taken, or nobody knows whether it happened

# Where it stands.
DOUBTFUL = "doubtful"  # hold was asked for, and nobody knows yet whether it happened
CALLING = "calling"  # the user's own phone rings for it, or the colleague's
CONSULTING = "consulting"
RETURNING = "returning"  # the caller was taken off hold, and no list shows that yet
LEAVING = "leaving"  # the caller was sent to the colleague, and no list shows that yet
STUCK = "stuck"  # the caller is on hold and there is no colleague: only the user's cancel key asks again
OVER = "over"

# What is to be done at VoipNow.
RETURN = "return"  # take the caller off hold
RELEASE = "release"  # end the call to the colleague


class News(NamedTuple):
    """What the bridge is told, as on the wire."""

    state: str
    reason: str | None = None


class Step(NamedTuple):
    """What follows from a list: what to tell, and what to do."""

    news: News | None = None
    duty: str | None = None


NOTHING = Step()


class Consultation:
    """One of them. ref: of the user's leg; number: the colleague's; colleague: the id of the call there, "" if untold.

    known: the ids of the user's calls before the colleague was called, None where nobody knows. is_acting: something is
    being asked for, so no list counts; nor does one that was asked for before `since`.
    """

    def __init__(self, leg: Leg, number: str, now_s: float) -> None:
        """Hold is about to be asked for, unless the user has put the caller on hold already."""
        self.ref = leg.ref
        self.extension = leg.extension
        self.number = number
        self.colleague = ""
        self.known: frozenset[str] | None = None
        self.is_acting = False
        self.since = 0
        self.reason: str | None = None  # why the caller comes back
        self.was_colleague_seen = False
        self._is_ringing_told = False
        self._keeps_hold = self._was_seen_held = leg.facts.is_on_hold
        self.enter(DOUBTFUL, now_s)

    @property
    def is_shown(self) -> bool:
        """Whether the user is in a consultation: the caller is on hold for it."""
        return self.state not in (DOUBTFUL, OVER)

    @property
    def waits(self) -> bool:
        """Whether the next list is awaited, because it shows what came of something."""
        return self.state in (DOUBTFUL, CALLING, RETURNING, LEAVING)

    def enter(self, state: str, now_s: float, shown_s: float = SHOWN_S) -> None:
        """VoipNow is asked for what leads to this state, which a list shows within `shown_s`."""
        self.state, self._until_s = state, now_s + shown_s

    def resume(self, colleague: str) -> None:
        """A list shows that the caller is on hold by an earlier start of the bridge, and this call to the colleague."""
        self.colleague, self.was_colleague_seen, self._keeps_hold = colleague, True, False
        self.state = CALLING

    def judge(self, user: Leg | None, colleague: Leg | None, now_s: float) -> Step:
        """Return what follows from a list that shows these legs of the user."""
        if user is None:
            return self._judge_without_caller(colleague)
        is_held, is_late = user.facts.is_on_hold, now_s > self._until_s
        self._was_seen_held |= is_held
        if self.state in (CALLING, CONSULTING):
            return self._judge_colleague(colleague, is_late)
        if self.state == RETURNING:
            return self._judge_return(is_held, is_late)
        if self.state == STUCK:
            return NOTHING if is_held else self._end(News("returned", self.reason))
        if self.state == DOUBTFUL:
            return Step(duty=RETURN) if is_held else self._end() if is_late else NOTHING
        return Step(duty=RETURN) if is_late else NOTHING  # the caller is still here, and was to leave

    def needs_off_hold(self, user: Leg) -> bool:
        """Say whether the caller must be taken off hold: not if lists have shown the user doing that by hand."""
        return not self._keeps_hold and (user.facts.is_on_hold or not self._was_seen_held)

    def _judge_without_caller(self, colleague: Leg | None) -> Step:
        if self.state == LEAVING:
            return self._end()  # whoever follows transfers says that it is done
        if colleague is None:
            return self._end(News("failed", "no-call"))
        self.colleague = colleague.call_id
        step = self._end(News("failed", "caller-gone"))
        return step if colleague.facts.is_answered else step._replace(duty=RELEASE)

    def _judge_colleague(self, colleague: Leg | None, is_late: bool) -> Step:
        if colleague is None:
            return Step(duty=RETURN) if self.was_colleague_seen or is_late else NOTHING
        self.colleague, self.was_colleague_seen = colleague.call_id, True
        if self.state == CALLING and colleague.facts.is_answered:
            self.state = CONSULTING
            return Step(News("consulting"))
        if self.state == CALLING and colleague.rings_there and not self._is_ringing_told:
            self._is_ringing_told = True
            return Step(News("ringing"))
        return NOTHING

    def _judge_return(self, is_held: bool, is_late: bool) -> Step:
        if not is_held or self._keeps_hold:
            return self._end(News("returned", self.reason))
        if not is_late:
            return NOTHING
        self.state = STUCK
        return Step(News("unknown"))

    def _end(self, news: News | None = None) -> Step:
        self.state = OVER
        return Step(news)
