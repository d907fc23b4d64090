"""Finds the attended transfers under way in a fresh list of Asterisk's channels. Changes nothing.

Caller and transferrer belong to one family (Linkedid), and so does half 1 of the Local channel to the colleague. It is
the only one without an application: the halves that Dial and Queue call (a follow-me, a queue's member) may be callers.
While the user talks to the colleague, the caller is alone in a bridge. While the user is back with the caller, that
half is alone in a bridge, and its ConnectedLineNum names its user. After the user has hung up while it rings, that half
is with the caller; Asterisk keeps the user's channel, in no bridge, and half 2 has the user's number. A caller who is
in a transfer of somebody else meanwhile belongs to the same family: what is displayed to whoever waits tells who it is
that they wait for.
"""

from dataclasses import dataclass

from phoneterm_bridge.pbx.asterisk.calls import CallTable, Leg
from phoneterm_bridge.pbx.asterisk.channel_name import beginning_of_halves, is_first_half


@dataclass(frozen=True)
class Found:
    """A transfer under way: who transfers whom, to which Local half, and the callers' own bridge."""

    leg: Leg
    callers: list[Leg]
    target: Leg
    home: str


def find_transfers(table: CallTable) -> list[Found]:
    """Return all transfers under way, one for each transferrer."""
    found: dict[str, Found] = {}
    for one in table.everybody():
        if table.waits_alone(one):
            transfers = _of_target(table, one) if _is_target(one) else _of_caller(table, one)
        else:
            transfers = _of_ringing(table, one) if _is_target(one) and not one.is_up else []
        for transfer in transfers:
            found.setdefault(transfer.leg.uniqueid, transfer)
    return list(found.values())


def _of_caller(table: CallTable, caller: Leg) -> list[Found]:
    """The caller waits alone: a leg of the family is with a target."""
    found = []
    for leg in _family(table, caller):
        targets = [other for other in table.others(leg) if _is_target(other)]
        if targets:
            found.append(Found(leg, [caller], targets[0], caller.bridge))
    return sorted(found, key=lambda one: one.leg.number != caller.peer)[:1]


def _of_target(table: CallTable, target: Leg) -> list[Found]:
    """The target waits alone: its transferrer is back with the callers."""
    for leg in _family(table, target):
        callers = table.others(leg)
        if callers and leg.number and leg.number == target.peer:
            return [Found(leg, callers, target, leg.bridge)]
    return []


def _of_ringing(table: CallTable, target: Leg) -> list[Found]:
    """The target rings, and is with the callers already: its transferrer has hung up.

    A target that rings alone is waited for by a transferrer who is just on the way to it.
    """
    callers = table.others(target)
    name = beginning_of_halves(target.channel) + "2"
    numbers = {half.number for half in table.everybody() if half.channel == name}
    for leg in _family(table, target):
        if callers and leg.is_up and leg.bridge == "" and leg.number in numbers:
            return [Found(leg, callers, target, target.bridge)]
    return []


def _is_target(leg: Leg) -> bool:
    return is_first_half(leg.channel) and not leg.has_application


def _family(table: CallTable, leg: Leg) -> list[Leg]:
    return [one for one in table.everybody() if one.endpoint and one.family == leg.family and one is not leg]
