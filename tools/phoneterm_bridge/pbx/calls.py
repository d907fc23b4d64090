"""Which of an endpoint's calls a command means, and what the terminal is told about them. Does not ask the PBX.

A command is bound to a call that was up before its first key: by the reference the phone was told, or else by time.
So a transfer can never hit the next call. Of several calls the one that is not on hold is meant; a call on hold is not
meant while the user has just called somebody else, or has just begun to talk to somebody else. What stands in the way
is a wire reason.
"""

import math

from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.pbx.port import Call

_CONNECTED = ("talking", "held", "consulting")
_NOT_ANSWERED = ("ringing", "dialling")
_BEGUN = ("dialling", "talking", "consulting")


def choose_call(calls: tuple[Call, ...], ref: str | None, first_key_s: float) -> Call | str:
    """Return the call a command means, or the reason why there is none: no-call, not-answered or ambiguous."""
    if ref is not None:
        calls, first_key_s = tuple(call for call in calls if call.ref == ref), math.inf
    connected = [call for call in calls if call.state in _CONNECTED and _is_up_before(call, first_key_s)]
    if not connected:
        return "not-answered" if any(call.state in _NOT_ANSWERED for call in calls) else "no-call"
    live = [call for call in connected if call.state != "held"]
    if not live and not any(call.state in _BEGUN for call in calls):
        live = connected
    return live[0] if len(live) == 1 else "ambiguous"


def refusal_of_call(call: Call, op: str, number: str | None, is_busy: bool) -> str | None:
    """Return why `op` cannot be done to this call: unsupported, busy-transferring, no-call, destination; or None."""
    operation = find_operation(op)
    if operation is None:
        return "unsupported"
    if operation.acts_on == "transfer":
        return None if call.state == "consulting" or is_busy else "no-call"
    if call.state == "consulting" or is_busy:
        return "busy-transferring"
    return "destination" if number == call.peer else None


def describe_calls(calls: tuple[Call, ...]) -> dict:
    """Return the fields of the call message for an endpoint's calls: its state, and the reference if it is clear."""
    for state, words in (("consulting", ("consulting",)), ("talking", ("talking",)), ("talking", ("held",))):
        found = [call for call in calls if call.state in words]
        if found:
            is_clear = len(found) == 1 and (words != ("held",) or all(call.state != "dialling" for call in calls))
            return {"state": state, "call": found[0].ref if is_clear else None}
    waiting = [call for call in calls if call.state in _NOT_ANSWERED]
    if waiting:
        return {"state": "ringing", "call": waiting[0].ref if len(waiting) == 1 else None}
    return {"state": "idle"}


def _is_up_before(call: Call, moment_s: float) -> bool:
    return call.talking_since is not None and call.talking_since <= moment_s
