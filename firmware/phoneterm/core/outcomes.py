"""What the user hears and reads for each outcome: the signal for every reason and result there is, and its words.

Does not play or show anything. The reasons are those of the wire contract (what the bridge answers), those of the
collector (what was keyed) and the terminal's own ("no-link", "not-confirmed", "cancel"). A reason is its own text:
"no-such-number" is shown as "no such number", at most 16 characters of it; what reads badly so has other words here.
"""

# /reason or state=words, and after the last one of a group its signal; one text, because it is small on the device.
_TABLE = (
    "/permission=not allowed/destination=number barred/unsupported=PBX cannot do it/rate=too many, wait"
    "/not-permitted-by-pbx=PBX forbids it:refused-permission"
    "/bad-number=/unknown-number=/self=own number/no-such-code=/code-time=code incomplete/no-number=/digits-missing="
    "/no-such-number=/number-too-long=/wrong-key=/too-slow=/key-it-again=:refused-number"
    "/no-call=/not-answered=/ambiguous=which call?/busy-transferring=already busy/caller-gone=:no-call"
    "/no-link=:no-link/not-confirmed=/unknown=Outcome unknown:unknown/cancel=cancelled:key"
    "/accepted=Accepted/swapped=Swapped:accepted/ringing=Ringing/consulting=Answered:/done=Transferred:done"
    "/returned=Caller is back:returned/failed=Failed/rejected=Refused"
    "/refused-by-target=call declined/pbx-misconfigured=PBX set up wrong:failed/"
)


def of_reason(reason):
    """Return (signal, words) of a refusal or failure; at most 16 characters of words, none for None."""
    if reason is None:
        return None, ""
    signal, words = _look_up(reason)
    return signal, words or reason.replace("-", " ")[:16]


def of_result(state, reason):
    """Return (signal, line1, line2) of a result; the signal is "" where the standing one says it."""
    signal, line1 = _look_up(state)
    of_its_own, line2 = of_reason(reason)
    return of_its_own if reason and signal == "failed" else signal, line1, line2


def _look_up(name):
    at = _TABLE.find("/" + name + "=")
    if at < 0:
        return "failed", ""
    end = _TABLE.find("/", at + 1)
    words, _, _ = _TABLE[at + len(name) + 2 : end].partition(":")
    at = _TABLE.find(":", at) + 1
    return _TABLE[at : _TABLE.find("/", at)], words
