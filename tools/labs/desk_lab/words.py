"""The words of page and full screen for what desk and phone call by short names. Decides nothing by them."""

from pbx_lab.lab import TRUNK

from desk_lab.call_picture import CALLS, ON_HOLD, RINGS, TALKS, WAITS, Call, Party, Picture
from desk_lab.installation import CALLER, EXTENSION

WHO = {EXTENSION: "you, at the desk phone", "102": "a colleague", CALLER: "the caller", TRUNK: "over a trunk"}
KEYS = {"A": "join", "B": "erase", "C": "cancel", "D": "swap"}
BEHAVIOURS = {
    "answer": "is answered",
    "ring": "only rings",
    "busy": "finds it busy",
    "reject": "is refused",
    "unavailable": "finds it away",
}
_SIGNALS = {
    "starting": "is starting",
    "no-link": "no link to the bridge",
    "keypad-fault": "a key is stuck",
    "open": "a number is being keyed",
    "refused-permission": "refused: not permitted",
    "refused-number": "the number was not taken",
    "unsupported": "refused: this PBX cannot do it",
    "no-call": "there is no call to transfer",
    "unknown": "nobody knows whether it worked",
    "returned": "the caller is back",
    "identify": "shows itself",
}
_CALLS = {RINGS: "ringing", ON_HOLD: "on hold", TALKS: "talking", CALLS: "calling", WAITS: "waiting"}


def name_of(endpoint: str) -> str:
    """Return what a party is called."""
    return "outside" if endpoint == TRUNK else endpoint


def describe_signal(name: str | None) -> str:
    """Return what a signal of the phone means; those that say it themselves keep their name."""
    return _SIGNALS.get(name or "", name or "no power")


def sum_up(call: Call) -> str:
    """Return how a call stands, in a word or two."""
    states = {party.state for party in call.parties}
    return next(_CALLS[state] for state in _CALLS if state in states)


def describe(picture: Picture, call: Call, party: Party) -> str:
    """Return what a party does in a call."""
    if party.state == ON_HOLD and not party.to:
        calls = [(holder, other) for holder in call.held_by for other, _ in picture.of(holder)]
        elsewhere = [f"{name_of(holder)} is in call {other.name}" for holder, other in calls]
        return f"is on hold: {' and '.join(elsewhere)}" if elsewhere else party.state
    others = " and ".join(map(name_of, party.to))
    if not others:
        return party.state
    return {
        TALKS: f"talks to {others}",
        ON_HOLD: f"is on hold, by {others}",
        RINGS: f"rings: {others} calls",
        CALLS: f"is calling {others}",
        WAITS: f"waits for {others}",
    }[party.state]
