"""What the legs of a lab say about a conversation: who hears whom, who is on hold, who is gone.

Does not ask a PBX; it looks at a list of legs that a lab has returned (`PbxLab.legs`). Endpoints are given by name.
"""

from collections.abc import Iterable, Sequence

from pbx_lab.lab import Leg


def has_leg(legs: Iterable[Leg], endpoint: str, state: str) -> bool:
    """Say whether an endpoint has a leg in this state."""
    return any(leg.endpoint == endpoint and leg.state == state for leg in legs)


def is_talking(legs: Iterable[Leg], one: str, other: str) -> bool:
    """Say whether two endpoints hear each other; there may be other legs."""
    hears = {leg.endpoint: leg.connected_to for leg in legs if leg.state == "up" and not leg.is_on_hold}
    return hears.get(one) == other and hears.get(other) == one


def are_alone(legs: Sequence[Leg], one: str, other: str) -> bool:
    """Say whether two endpoints hear each other and no other leg is left."""
    return sorted(leg.endpoint for leg in legs) == sorted((one, other)) and is_talking(legs, one, other)


def is_on_hold(legs: Iterable[Leg], endpoint: str) -> bool:
    """Say whether an endpoint hears hold music."""
    return any(leg.endpoint == endpoint and leg.is_on_hold for leg in legs)


def is_gone(legs: Iterable[Leg], endpoint: str) -> bool:
    """Say whether an endpoint has no leg at all."""
    return all(leg.endpoint != endpoint for leg in legs)
