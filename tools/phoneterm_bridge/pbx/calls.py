"""The one place that judges the legs of an endpoint, whatever the PBX. Does not ask the PBX and keeps nothing.

It decides what a leg is to its user, which of several calls a command means, why an operation is refused, and what
the terminal is told. A backend passes on what its PBX reports of a leg, as `LegFacts`. Nobody else compares the words
of `Call.state`; `port.py` explains them.

A command is bound to a call that was up before its first key: by the reference that the phone was told, or else by
time. So a transfer can never hit the next call. Of several calls the one that is not on hold is meant. A call on hold
is not meant while the user has just called somebody else, or has just begun to talk to somebody else. A refusal is a
wire reason.
"""

import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.pbx.port import Call

_CONNECTED = ("talking", "held", "consulting")
_NOT_ANSWERED = ("ringing", "dialling")
_BEGUN = ("dialling", "talking", "consulting")


class LegFacts(NamedTuple):
    """What a PBX reports of one leg.

    calls_out: the leg's user placed the call; otherwise the leg is being called. is_answered: the leg is up, and nobody
    is being called for it any more. is_joined: it is where callers are connected to each other, and can be transferred
    from, as they cannot from a conference. has_company: somebody
    else is there now; has_talked: somebody was. is_on_hold: its user has put it on hold. is_in_transfer: its user is in
    an attended transfer, between the caller and a colleague.
    """

    calls_out: bool
    is_answered: bool
    is_joined: bool
    has_company: bool
    has_talked: bool
    is_on_hold: bool
    is_in_transfer: bool = False


def state_of(facts: LegFacts) -> str:
    """Return what a leg is to its user, as a word of `Call.state`."""
    if facts.is_in_transfer:
        return "consulting"
    if facts.is_joined and (facts.has_company or facts.has_talked):
        return "held" if facts.is_on_hold else "talking"
    if facts.is_answered:
        return "elsewhere"
    return "dialling" if facts.calls_out else "ringing"


def refusal_of_leg(facts: LegFacts, is_busy: bool) -> str | None:
    """Return why nobody can be transferred from this leg now: busy-transferring, not-answered or no-call; or None.

    A backend asks this immediately before it acts, because a `Call` may be older than the last event. is_busy: a
    transfer of the leg has been asked for.
    """
    if is_busy:
        return "busy-transferring"
    state = state_of(facts)
    return None if state in _CONNECTED and facts.has_company else _why_not_connected([state])


def choose_call(calls: tuple[Call, ...], ref: str | None, first_key_s: float) -> Call | str:
    """Return the call that a command means, or the reason why there is none: no-call, not-answered or ambiguous."""
    if ref is not None:
        calls, first_key_s = tuple(call for call in calls if call.ref == ref), math.inf
    connected = [call for call in calls if call.state in _CONNECTED and _is_up_before(call, first_key_s)]
    if not connected:
        return _why_not_connected(call.state for call in calls)
    live = [call for call in connected if call.state != "held"]
    if not live and not any(call.state in _BEGUN for call in calls):
        live = connected
    return live[0] if len(live) == 1 else "ambiguous"


def refusal_of_call(
    call: Call, op: str, number: str | None, is_busy: bool, numbers: Collection[str] | None = None
) -> str | None:
    """Return why `op` cannot be done to this call: unsupported, busy-transferring, no-call, destination; or None.

    numbers: those of the other party's lines, where more is known of them than their names. What its phone displays is
    not compared: a caller can display any number.
    """
    operation = find_operation(op)
    if operation is None:
        return "unsupported"
    is_in_transfer = is_busy or is_consulting(call)
    if operation.acts_on == "transfer":
        return None if is_in_transfer else "no-call"
    if is_in_transfer:
        return "busy-transferring"
    return "destination" if number in (call.lines if numbers is None else numbers) else None


def is_consulting(call: Call) -> bool:
    """Return whether an attended transfer of this call is under way."""
    return call.state == "consulting"


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


def _why_not_connected(states: Iterable[str]) -> str:
    return "not-answered" if any(state in _NOT_ANSWERED for state in states) else "no-call"


def _is_up_before(call: Call, moment_s: float) -> bool:
    return call.talking_since is not None and call.talking_since <= moment_s
