"""What the user hears and reads for each outcome: the signal and the words for every reason and result.

Does not play or show anything. The reasons are those of the wire contract (what the bridge answers), those of the
collector (what was keyed) and the terminal's own ("no-link", "not-confirmed", "cancel"). A reason is its own text:
"no-such-number" is shown as "no such number", at most 16 characters. Reasons that would read badly have other words.
"""

# A reason or a result's state; its signal, "" where the standing one says it; its words, "" where they are the reason.
_ROWS = (
    ("permission", "refused-permission", "not allowed"),
    ("destination", "refused-permission", "number barred"),
    ("rate", "refused-permission", "too many, wait"),
    ("not-permitted-by-pbx", "refused-permission", "PBX forbids it"),
    ("bad-number", "refused-number", ""),
    ("unknown-number", "refused-number", ""),
    ("self", "refused-number", "own number"),
    ("no-such-code", "refused-number", ""),
    ("code-time", "refused-number", "code incomplete"),
    ("no-number", "refused-number", ""),
    ("digits-missing", "refused-number", ""),
    ("no-such-number", "refused-number", ""),
    ("number-too-long", "refused-number", ""),
    ("wrong-key", "refused-number", ""),
    ("too-slow", "refused-number", ""),
    ("key-it-again", "refused-number", ""),
    ("no-call", "no-call", ""),
    ("not-answered", "no-call", ""),
    ("ambiguous", "no-call", "which call?"),
    ("busy-transferring", "no-call", "already busy"),
    ("caller-gone", "no-call", ""),
    ("unsupported", "unsupported", "PBX cannot do it"),
    ("no-link", "no-link", ""),
    ("not-confirmed", "unknown", ""),
    ("unknown", "unknown", "Outcome unknown"),
    ("cancel", "key", "cancelled"),
    ("accepted", "accepted", "Accepted"),
    ("swapped", "accepted", "Swapped"),
    ("ringing", "", "Ringing"),
    ("consulting", "", "Answered"),
    ("done", "done", "Transferred"),
    ("returned", "returned", "Caller is back"),
    ("failed", "failed", "Failed"),
    ("rejected", "failed", "Refused"),
    ("refused-by-target", "failed", "call declined"),
    ("pbx-misconfigured", "failed", "PBX set up wrong"),
)


def _pack(rows):
    """Return the rows as one text: "/name=words" each, and ":signal" after the last one of a signal.

    For example "/no-link=:no-link/not-confirmed=/unknown=Outcome unknown:unknown/".
    """
    text = last = ""
    for name, signal, words in rows:
        if text and signal != last:
            text += ":" + last
        text += "/" + name + "=" + words
        last = signal
    return text + ":" + last + "/"


_TABLE = _pack(_ROWS)


def of_reason(reason):
    """Return (signal, words) for a refusal or failure; at most 16 characters of words, none for None."""
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
