"""The terminal's call and the transfer of it: one table of states.

Does not know messages, keys or commands' ids. There are two kinds of events: what the bridge says about the call
("call-..." for down/call), and the progress of the one transfer command ("sent", then the states of down/result,
"timed-out" when nobody accepted it, "link-lost"). Rules of the table:
1. What the bridge says about the call wins, but a call that is "talking" may still have its transfer under way.
2. A late result still counts where it can be true; where the call has moved on it changes nothing.
3. A transfer is sent from "talking" only: anything else is our own mistake and raises ValueError.
4. Without the link nothing is known: the state is idle until down/call reports the call.
"""

STATES = (
    "idle",
    "ringing",  # rings here, not answered
    "talking",
    "sent",  # transfer keyed, the bridge has not answered
    "accepted",  # the bridge asked the PBX
    "calling",  # the caller is on hold, the colleague's phone rings
    "consulting",  # the caller is on hold, the colleague has answered
    "done",  # the caller has been transferred
)
_LETTERS = "IRTSALCD"  # one letter for each state, in the order above; "-": cannot happen

_ANY = STATES
_UNDER_WAY = ("sent", "accepted", "calling", "consulting")
_NOT_STARTED = ("sent", "accepted")

# Each event, the state that it leads to, and the states it may come in; in every other state it changes nothing.
_ROWS = (
    ("call-idle", "idle", _ANY),
    ("call-ringing", "ringing", _ANY),
    ("call-talking", "talking", ("idle", "ringing", "talking", "calling", "consulting", "done")),
    ("call-consulting", "consulting", ("idle", "ringing", "talking", "sent", "accepted", "consulting", "done")),
    ("sent", "sent", ("talking",)),
    ("accepted", "accepted", ("talking", "sent")),
    ("ringing", "calling", ("talking", "sent", "accepted")),
    ("consulting", "consulting", ("talking", "sent", "accepted", "calling")),
    ("done", "done", ("talking",) + _UNDER_WAY),
    ("returned", "talking", _UNDER_WAY),
    ("failed", "talking", _UNDER_WAY),
    ("rejected", "talking", _NOT_STARTED),
    ("unknown", "talking", _NOT_STARTED),
    ("timed-out", "talking", ("sent",)),
    ("link-lost", "idle", _ANY),
)
_ONLY_THERE = ("sent",)  # in every other state this event cannot happen


def _pack(rows):
    """Return the table as one text, a third of the rows' memory: the new state for each state, then the event.

    For example "=IRAAALCD=accepted=".
    """
    text = "="
    for event, following, before in rows:
        for state in STATES:
            if state not in before and event in _ONLY_THERE:
                text += "-"
            else:
                text += _LETTERS[STATES.index(following if state in before else state)]
        text += "=" + event + "="
    return text


_TABLE = _pack(_ROWS)


class Call:
    """The call of this terminal: `state` is one of STATES, `ref` the bridge's reference of it or None."""

    def __init__(self):
        self.state = STATES[0]
        self.ref = None

    def move(self, event):
        """Go on to the next state; ValueError for an event that does not exist or cannot happen in this state."""
        at = _TABLE.find("=" + event + "=") - len(STATES)
        letter = _TABLE[at + STATES.index(self.state)]
        if at < 0 or letter == "-":
            raise ValueError("event %s cannot happen in state %s" % (event, self.state))
        self.state = STATES[_LETTERS.index(letter)]

    def obstacle(self):
        """Return why no transfer can start now (a wire reason), or None when one can."""
        if self.state == "talking":
            return None
        if self.state == "ringing":
            return "not-answered"
        return "no-call" if self.state in ("idle", "done") else "busy-transferring"

    def is_consulting(self):
        """Say whether the caller is on hold for a colleague, who may still be ringing."""
        return self.state in ("calling", "consulting")
