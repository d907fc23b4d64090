"""The extensions' legs as the lists of calls show them, and the facts that follow. Asks for nothing, acts on nothing.

An extension's leg is its part in one call: the same call and the same extension are the same leg, whatever else
changes. A list is as old as the moment it was asked for, so one that was asked for before another but came after it
changes nothing. Times are `time.monotonic()` seconds: a conversation counts from when a list first showed it.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from phoneterm_bridge.pbx.calls import LegFacts, state_of
from phoneterm_bridge.pbx.port import Call
from phoneterm_bridge.pbx.voipnow.extension_number import extended_of, forms_of
from phoneterm_bridge.pbx.voipnow.reading import PhoneCall, View, name_in, number_in

_REF_CHARS = 24
_ON_CALL, _UNKNOWN = 5, 0
_OUT, _IN = 4, 8
_FAR_RINGING = 4
OUR_NAME = "phoneterm consultation"  # in the caller id of calls that the bridge has made for a user
_CODE = "*"  # what begins with it is no number of anybody: voicemail, parking and the like


class Leg(NamedTuple):
    """One extension's part in one call. lines: the numbers of the other party, in every form; others: the extensions
    that have a view of the call too. rings_there: the other side is being rung. dialled: the number that the extension
    called, "" when it was called. is_ours: the bridge has had it call that number (`OUR_NAME`)."""

    ref: str
    extension: str
    call_id: str
    view_id: str
    facts: LegFacts
    talking_since: float | None
    peer: str
    lines: frozenset[str]
    others: frozenset[str]
    rings_there: bool
    dialled: str
    is_ours: bool


class CallTable:
    """The legs of all extensions that a list has shown. organization: that of endpoints without a star."""

    def __init__(self, organization: str) -> None:
        """Start empty."""
        self._organization = organization
        self._legs: dict[str, tuple[Leg, ...]] = {}
        self._as_of: dict[str, int] = {}  # by extension: the number of the request whose list counts
        self._all_as_of = 0

    def load(self, calls: Iterable[PhoneCall], now_s: float, request: int, extension: str | None = None) -> set[str]:
        """Take over a list, of one extension or of all; return the extensions whose legs have changed.

        request: the number of the request that it answers; later requests have higher numbers.
        """
        shown = self._read(calls, now_s)
        concerned = {*shown, *self._legs} if extension is None else {extension}
        current = {one for one in concerned if request >= max(self._as_of.get(one, 0), self._all_as_of)}
        changed = {one for one in current if self._legs.get(one, ()) != shown.get(one, ())}
        for one in current:
            self._as_of[one] = request
            self._legs[one] = shown.get(one, ())
        if extension is None:
            self._all_as_of = max(self._all_as_of, request)
        return changed

    def clear(self) -> set[str]:
        """Forget every leg, because nobody knows whether it is still there; return the extensions that had one."""
        had = {extension for extension, legs in self._legs.items() if legs}
        self._legs.clear()
        return had

    def leg_of(self, ref: str) -> Leg | None:
        """Return the leg with this call reference, or None."""
        return next((leg for legs in self._legs.values() for leg in legs if leg.ref == ref), None)

    def legs_of(self, extension: str) -> tuple[Leg, ...]:
        """Return the legs of an extension, whose number is an extended one."""
        return self._legs.get(extension, ())

    def is_same_number(self, one: str, other: str) -> bool:
        """Say whether two numbers are the same, in whichever form."""
        return not forms_of(one, self._organization).isdisjoint(forms_of(other, self._organization))

    def extensions(self) -> list[str]:
        """Return the extensions that have been seen."""
        return list(self._legs)

    def calls(self, endpoint: str) -> tuple[Call, ...]:
        """Return an endpoint's calls as the bridge sees them."""
        return tuple(
            Call(leg.ref, endpoint, state_of(leg.facts), leg.talking_since, leg.peer, leg.lines)
            for leg in self._legs.get(extended_of(endpoint, self._organization), ())
        )

    def _read(self, calls: Iterable[PhoneCall], now_s: float) -> dict[str, tuple[Leg, ...]]:
        shown: dict[str, tuple[Leg, ...]] = {}
        for call in _merge(calls):
            if not call.views:
                self._keep(call.id, shown)
            for extension in {view.extension for view in call.views}:
                leg = self._leg(call, extended_of(extension, self._organization), now_s)
                shown[leg.extension] = (*shown.get(leg.extension, ()), leg)
        return shown

    def _keep(self, call_id: str, shown: dict[str, tuple[Leg, ...]]) -> None:
        """A call is there, and nothing is said of who is in it: whoever was is there still."""
        for extension, legs in self._legs.items():
            for leg in legs:
                if leg.call_id == call_id:
                    shown[extension] = (*shown.get(extension, ()), leg)

    def _leg(self, call: PhoneCall, extension: str, now_s: float) -> Leg:
        own = forms_of(extension, self._organization)
        # Of several views of one extension in one call the one that is furthest counts.
        view = max((view for view in call.views if view.extension in own), key=lambda view: view.status)
        others = [one for one in call.views if one.extension not in own]
        calls_out = view.flow == _OUT or (view.flow != _IN and not own.isdisjoint(view.source))
        ref = ref_of(call.id, extension)
        earlier = next((leg for leg in self._legs.get(extension, ()) if leg.ref == ref), None)
        talking_since = None if earlier is None else earlier.talking_since
        facts = _facts_of(view, others, calls_out)
        if talking_since is None and facts.is_joined:
            talking_since = now_s
        facts = facts._replace(has_talked=talking_since is not None)
        numbers = (*(view.destination if calls_out else view.source), *(one.extension for one in others))
        lines = frozenset(form for number in numbers for form in forms_of(number, self._organization)) - own
        displayed = number_in(view.caller_id) if not calls_out else ""
        peer = displayed or next((min(forms_of(one, self._organization), key=len) for one in numbers), "")
        beside = frozenset(one.extension for one in others)
        dialled = view.destination[0] if calls_out and view.destination else ""
        is_ours = bool(dialled) and name_in(view.caller_id) == OUR_NAME
        rings_there = view.status == _FAR_RINGING
        return Leg(
            ref, extension, call.id, view.id, facts, talking_since, peer, lines, beside, rings_there, dialled, is_ours
        )


def ref_of(call_id: str, extension: str) -> str:
    """Return the call reference of an extension's leg: stable over a restart of the bridge, and valid on the wire."""
    return hashlib.sha256(f"{call_id}/{extension}".encode()).hexdigest()[:_REF_CHARS]


def _merge(calls: Iterable[PhoneCall]) -> Iterable[PhoneCall]:
    """Yield each call once: a list of several extensions may have it once for each."""
    views: dict[str, tuple[View, ...]] = {}
    for call in calls:
        views[call.id] = (*views.get(call.id, ()), *call.views)
    return (PhoneCall(call_id, found) for call_id, found in views.items())


def _facts_of(view: View, others: list[View], calls_out: bool) -> LegFacts:
    is_up = view.status == _ON_CALL or view.is_held or (view.status == _UNKNOWN and view.is_answered)
    has_person = not view.is_parked and not (calls_out and any(one.startswith(_CODE) for one in view.destination))
    is_held_there = any(other.is_holder for other in others)
    holds = view.is_holder is True or (view.is_holder is None and not is_held_there)
    return LegFacts(
        calls_out=calls_out,
        is_answered=is_up,
        is_joined=is_up and has_person,
        has_company=is_up and has_person,
        has_talked=False,
        is_on_hold=view.is_held and holds,
    )
