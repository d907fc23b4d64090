"""Says for people what a PBX has said of users and extensions, and whether it still counts. Reads nothing."""

from phoneterm_bridge.store.pbx_permissions import Following, Place
from phoneterm_bridge.wording.names import name_some
from phoneterm_bridge.wording.times import say_minute

OVERRIDDEN = (
    "The PBX says who is multi user aware: what the file says of it counts until the PBX says otherwise, and gives "
    "nobody more than the PBX does; `phoneterm user allow` and `deny` ask the PBX."
)

UNASKED = "The PBX says who is multi user aware; the bridge asks it as soon as it runs."


def describe_source(following: Following) -> str:
    """Say which PBX says who is multi user aware, and whether it does at present; "" where the store alone says it."""
    if not following.source:
        return ""
    said = f"{following.source} says who is multi user aware."
    if not following.trouble:
        return said
    since = say_minute(following.trouble_ms)
    return f"{said} It has not answered since {since} ({following.trouble}): what it said last counts until it expires."


def describe_uncounted(following: Following) -> str:
    """Say of which extensions nothing counts; "" where there are none."""
    if not following.source:
        return ""
    numbers = [place.number for place in following.places if place.told is None or place.is_expired]
    said = f"It has not said, or not for too long, whether these are: {name_some(numbers)}; they may not transfer."
    return said if numbers else ""


def describe_untold(source: str, place: Place) -> str:
    """Say why an extension's permission does not count, or may soon not; "" where all is well."""
    why = f" ({place.why_not})" if place.why_not else ""
    if place.told is None:
        return f"{source} has not said yet whether {place.number} is multi user aware{why}, so it may not transfer."
    last = f"{source} said last on {say_minute(place.told_ms)} whether {place.number} is multi user aware{why}"
    if place.is_expired:
        return f"{last}. That is too long ago, so it may not transfer."
    return f"{last}. That counts until it expires." if place.why_not else ""
