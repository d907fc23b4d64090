"""The picture of the calls: who talks to whom, who is on hold, who rings, and which call is which.

Does not ask the PBX and shows nothing: it is given a lab's legs again and again, and gives each call a name that it
keeps while people join and leave. Legs that hear each other are one call; so are a leg that calls and those that ring
for it; a leg on hold is a call of its own while whoever holds it is in another one. A call is followed by the leg that
began it: it keeps its name when that leg is sent elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pbx_lab.lab import Leg

TALKS, ON_HOLD, RINGS, CALLS, WAITS = "talks to", "is on hold", "rings", "is calling", "waits"
_NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Party(NamedTuple):
    """One leg of a call. to: the other endpoints of the call."""

    endpoint: str
    state: str
    to: tuple[str, ...]


class Call(NamedTuple):
    """A call. held_by: who has put it on hold and is in another call meanwhile."""

    name: str
    parties: tuple[Party, ...]
    held_by: tuple[str, ...] = ()


class Picture(NamedTuple):
    """All calls at one moment, by name."""

    calls: tuple[Call, ...] = ()

    def of(self, endpoint: str) -> list[tuple[Call, Party]]:
        """Return the calls that an endpoint is in."""
        return [(call, party) for call in self.calls for party in call.parties if party.endpoint == endpoint]

    def is_up(self, endpoint: str) -> bool:
        """Return whether an endpoint has its receiver lifted: it is in a call, and does not merely ring."""
        return any(party.state != RINGS for _, party in self.of(endpoint))


def describe(picture: Picture) -> str:
    """Return everybody's calls as one line."""
    parties = sorted((party for call in picture.calls for party in call.parties), key=lambda party: party.endpoint)
    return "; ".join(_describe_party(party) for party in parties) or "none"


def _describe_party(party: Party) -> str:
    return f"{party.endpoint} {party.state}" + (f" {','.join(party.to)}" if party.state == TALKS else "")


@dataclass(eq=False)
class _Known:
    """A call that was seen before. first: the channel that it is followed by; left: who went into another call."""

    name: str
    first: str
    members: dict[str, str] = field(default_factory=dict)  # channel -> endpoint
    left: dict[str, str] = field(default_factory=dict)


class CallPicture:
    """Makes pictures out of legs, and remembers which call is which."""

    def __init__(self) -> None:
        self._known: list[_Known] = []
        self._last_name = _NAMES[-1]

    def look(self, legs: Sequence[Leg]) -> Picture:
        """Return the picture of these legs; they must come in the order of time."""
        groups = group_legs(legs)
        owners = self._find_owners(groups)
        alive = {leg.channel for leg in legs}
        self._known = []
        for group, owner in zip(groups, owners, strict=True):
            known = owner or _Known(self._choose_name(owners), group[0].channel)
            members = {leg.channel: leg.endpoint for leg in group}
            known.left = {
                channel: endpoint
                for channel, endpoint in (known.left | known.members).items()
                if channel in alive and channel not in members
            }
            known.members = members
            if known.first not in members:
                known.first = group[0].channel
            self._known.append(known)
        calls = (_show(known, group) for known, group in zip(self._known, groups, strict=True))
        return Picture(tuple(sorted(calls)))

    def _find_owners(self, groups: Sequence[Sequence[Leg]]) -> list[_Known | None]:
        """Return for each group the call that it was before: by the leg that began it, else by any that is in it."""
        owners: list[_Known | None] = [None] * len(groups)
        for by_first in (True, False):
            for known in self._known:
                if known in owners:
                    continue
                wanted = {known.first} if by_first else known.members.keys()
                for place, group in enumerate(groups):
                    if owners[place] is None and any(leg.channel in wanted for leg in group):
                        owners[place] = known
                        break
        return owners

    def _choose_name(self, owners: Iterable[_Known | None]) -> str:
        taken = {known.name for known in (*owners, *self._known) if known is not None}
        after = _NAMES.index(self._last_name) + 1
        names = [name for name in _NAMES[after:] + _NAMES[:after] if name not in taken]
        self._last_name = names[0] if names else self._last_name
        return self._last_name


def group_legs(legs: Sequence[Leg]) -> list[list[Leg]]:
    """Return the legs of each call together, in each the oldest first."""
    together: list[list[Leg]] = []
    for leg in sorted(legs, key=_age):
        near = [group for group in together if any(_hear_each_other(leg, other) for other in group)]
        together = [group for group in together if group not in near]
        together.append([*(other for group in near for other in group), leg])
    calls = [group for group in together if not _is_waiting(group)]
    families: dict[str, list[Leg]] = {}
    for group in together:
        if _is_waiting(group):
            families.setdefault(group[0].family or group[0].channel, []).append(group[0])
    for family, waiting in families.items():
        held = [group for group in calls if len(group) == 1 and group[0].is_on_hold and group[0].family == family]
        if len(held) == 1 and all(leg.state == "ringing" for leg in waiting):
            held[0].extend(waiting)  # it rings for the one who waits with music
        else:
            calls.append(waiting)
    return [sorted(group, key=_age) for group in calls]


def _age(leg: Leg) -> str:
    """Return what sorts the legs of one PBX by age: the number in a channel's name."""
    return leg.channel.rpartition("-")[2]


def _hear_each_other(one: Leg, other: Leg) -> bool:
    if one.bridge and one.bridge == other.bridge:
        return True
    return other.endpoint in one.connected_to.split(",") and one.endpoint in other.connected_to.split(",")


def _is_waiting(group: Sequence[Leg]) -> bool:
    """Return whether a leg is alone and hears no music: it calls, rings, or waits for somebody."""
    return len(group) == 1 and not group[0].is_on_hold and not group[0].connected_to


def _show(known: _Known, group: Sequence[Leg]) -> Call:
    parties = tuple(_show_leg(leg, group) for leg in group)
    held_by = sorted(set(known.left.values())) if all(leg.is_on_hold for leg in group) else ()
    return Call(known.name, tuple(sorted(parties)), tuple(held_by))


def _show_leg(leg: Leg, group: Sequence[Leg]) -> Party:
    others = tuple(sorted({other.endpoint for other in group if other is not leg}))
    if leg.state == "ringing":
        return Party(leg.endpoint, RINGS, others)
    if leg.state != "up":
        return Party(leg.endpoint, CALLS, others)
    if leg.is_on_hold:
        return Party(leg.endpoint, ON_HOLD, others)
    if leg.connected_to:
        return Party(leg.endpoint, TALKS, tuple(leg.connected_to.split(",")))
    return Party(leg.endpoint, WAITS, others)
