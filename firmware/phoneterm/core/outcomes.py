"""What the user hears and reads for each outcome: the signal for every reason there is, and its words.

Does not play or show anything. The reasons are those of the wire contract (what the bridge answers), those of the
collector (what was keyed) and the terminal's own ("no-link", "not-confirmed", "cancel"). A reason is its own text:
"no-such-number" is shown as "no such number", at most 16 characters of it; what reads badly so has other words here.
"""

_SIGNALS = (
    ("refused-permission", "permission destination unsupported rate not-permitted-by-pbx"),
    ("refused-number", "bad-number unknown-number self no-such-code code-time no-number digits-missing no-such-number"
     " number-too-long wrong-key too-slow key-it-again"),
    ("no-call", "no-call not-answered ambiguous busy-transferring caller-gone"),
    ("no-link", "no-link"),
    ("unknown", "not-confirmed"),
    ("key", "cancel"),
)  # fmt: skip
_OTHER_SIGNAL = "failed"

_WORDS = {
    "permission": "not allowed",
    "destination": "number barred",
    "unsupported": "PBX cannot do it",
    "rate": "too many, wait",
    "not-permitted-by-pbx": "PBX forbids it",
    "self": "own number",
    "ambiguous": "which call?",
    "busy-transferring": "already busy",
    "refused-by-target": "call declined",
    "pbx-misconfigured": "PBX set up wrong",
    "code-time": "code incomplete",
    "cancel": "cancelled",
}

_STATES = {
    "accepted": ("accepted", "Accepted"),
    "ringing": (None, "Ringing"),
    "consulting": (None, "Answered"),
    "done": ("done", "Transferred"),
    "returned": ("returned", "Caller is back"),
    "failed": ("failed", "Failed"),
    "rejected": ("failed", "Refused"),
    "unknown": ("unknown", "Outcome unknown"),
}


def signal_of(reason):
    """Return the signal of a refusal or failure for this reason."""
    for signal, reasons in _SIGNALS:
        if reason in reasons.split(" "):
            return signal
    return _OTHER_SIGNAL


def words_of(reason):
    """Return the words for a reason, at most 16 characters; none for None."""
    return _WORDS.get(reason) or (reason or "").replace("-", " ")[:16]


def of_result(state, reason):
    """Return (signal, line1, line2) of a result; the signal is None where the standing one says it."""
    signal, line = _STATES[state]
    if reason and signal == "failed":
        signal = signal_of(reason)
    return signal, line, words_of(reason)
