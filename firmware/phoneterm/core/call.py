"""The terminal's call and the transfer of it: one table of states.

Does not know messages, keys or commands' ids. Two kinds of events come together here: what the bridge says of the
call ("call-..." for down/call), and how the one transfer command goes on ("sent", then the states of down/result,
"timed-out" when nobody accepted it, "link-lost"). Rules of the table:
1. What the bridge says of the call wins, but a call that is "talking" may still have its transfer on the way.
2. A result that comes late still counts where it can be true; where the call has moved on it changes nothing.
3. A transfer is sent from "talking" only: anything else is our own mistake and raises ValueError.
4. Without the link nothing is known: idle, until down/call says where things stand.
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
_LETTERS = "IRTSALCD"  # one for each state, in the order above; "-": cannot happen

# In front of each event the state it leads to, from each state; one text, because a dict takes three times the memory.
_TABLE = (
    # IRTSALCD: from
    "=IIIIIIII=call-idle="
    "=RRRRRRRR=call-ringing="
    "=TTTSATTT=call-talking="
    "=CCCCCLCC=call-consulting="
    "=--S-----=sent="
    "=IRAAALCD=accepted="
    "=IRLLLLCD=ringing="
    "=IRCCCCCD=consulting="
    "=IRDDDDDD=done="
    "=IRTTTTTD=returned="
    "=IRTTTTTD=failed="
    "=IRTTTLCD=rejected="
    "=IRTTTLCD=unknown="
    "=IRTTALCD=timed-out="
    "=IIIIIIII=link-lost="
)

# Why a transfer cannot start now; a reason of the wire contract, None where it can.
_OBSTACLES = ("no-call", "not-answered", None) + ("busy-transferring",) * 4 + ("no-call",)


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
        return _OBSTACLES[STATES.index(self.state)]

    def is_consulting(self):
        """Say whether the caller is on hold for a colleague, who may still be ringing."""
        return self.state in ("calling", "consulting")
