"""What the user hears and reads for each outcome: one row for every reason there is.

Does not play or show anything. A row is (signal, line): a signal of `signals.NAMES`, at most 16 characters.
The reasons are those of the wire contract (what the bridge answers), those of the collector (what was keyed) and
the terminal's own ("no-link", "no-answer-yet", "outcome-unknown").
"""

_PERMISSION = "refused-permission"
_NUMBER = "refused-number"
_NO_CALL = "no-call"
_FAILED = "failed"

_OF_REASON = {
    "permission": (_PERMISSION, "Not allowed"),
    "destination": (_PERMISSION, "Number barred"),
    "unsupported": (_PERMISSION, "PBX cannot do it"),
    "rate": (_PERMISSION, "Too many, wait"),
    "not-permitted-by-pbx": (_PERMISSION, "PBX forbids it"),
    "bad-number": (_NUMBER, "Bad number"),
    "unknown-number": (_NUMBER, "No such number"),
    "self": (_NUMBER, "Own number"),
    "no-call": (_NO_CALL, "No call"),
    "not-answered": (_NO_CALL, "Answer first"),
    "ambiguous": (_NO_CALL, "Which call?"),
    "busy-transferring": (_NO_CALL, "Already busy"),
    "caller-gone": (_NO_CALL, "Caller hung up"),
    "stale": (_FAILED, "Too late"),
    "duplicate": (_FAILED, "Sent twice"),
    "bad-session": (_FAILED, "Try again"),
    "bad-signature": (_FAILED, "Wrong key"),
    "busy": (_FAILED, "Busy"),
    "no-answer": (_FAILED, "No answer"),
    "refused-by-target": (_FAILED, "Call declined"),
    "unavailable": (_FAILED, "Not reachable"),
    "congestion": (_FAILED, "Lines are busy"),
    "pbx-misconfigured": (_FAILED, "PBX set up wrong"),
    "pbx-unreachable": (_FAILED, "PBX is away"),
    "cancelled": (_FAILED, "Cancelled"),
    # The collector's.
    "code": (_NUMBER, "No such code"),
    "code-time": (_NUMBER, "Code incomplete"),
    "number-empty": (_NUMBER, "No number"),
    "number-incomplete": (_NUMBER, "Digits missing"),
    "number-unknown": (_NUMBER, "No such number"),
    "number-long": (_NUMBER, "Number too long"),
    "key": (_NUMBER, "Wrong key"),
    "time": (_NUMBER, "Too slow"),
    "tainted": (_NUMBER, "Key it again"),
    # The terminal's own.
    "no-link": ("no-link", "No link"),
    "no-answer-yet": (_FAILED, "Not confirmed"),
    "outcome-unknown": ("unknown", "Not confirmed"),
    "cancel": (None, "Cancelled"),
}

_OF_STATE = {
    "accepted": ("accepted", "Accepted"),
    "ringing": (None, "Ringing"),
    "consulting": (None, "Answered"),
    "done": ("done", "Transferred"),
    "returned": ("returned", "Caller is back"),
    "unknown": ("unknown", "Outcome unknown"),
    "failed": (_FAILED, "Failed"),
    "rejected": (_FAILED, "Refused"),
}


def of_reason(reason):
    """Return (signal, line) of a refusal; the signal is None where nothing is to be heard."""
    return _OF_REASON[reason]


def of_result(state, reason):
    """Return (signal, line1, line2) of a result; the signal is None where the standing one says it."""
    signal, line = _OF_STATE[state]
    if reason is None:
        return signal, line, ""
    if state == "failed" or state == "rejected":
        signal = _OF_REASON[reason][0]
    return signal, line, _OF_REASON[reason][1]
