"""Extracts the phones' legs from a list of channels by AMI's CoreShowChannels.

Does not ask for the list. A Local channel is two halves, `;1` and `;2`, that join the bridges they are in; a phone
behind one hears what the half in the other bridge hears.
"""

from collections.abc import Collection

from phoneterm_bridge.pbx.ami.codec import Message

from pbx_lab.lab import Leg

TECHNOLOGY = "PJSIP/"


def read_legs(channels: list[Message], on_hold: Collection[str], hung_up: Collection[str]) -> list[Leg]:
    """Return the phones' legs; on_hold, hung_up: Uniqueids that hear hold music, or whose phone has hung up.

    Asterisk may list a channel twice while it changes.
    """
    channels = list({item.get("Uniqueid"): item for item in channels}.values())
    joined = _joined_bridges(channels)
    music = {item.get("Channel") for item in channels if item.get("Uniqueid") in on_hold}
    with_music = {item.get("BridgeId") for item in channels if _other_half(item.get("Channel")) in music}
    phones = [item for item in channels if _is_phone(item) and item.get("Uniqueid") not in hung_up]
    legs = []
    for item in phones:
        bridge = item.get("BridgeId")
        near = {bridge, joined.get(bridge, bridge)} - {""}
        others = [endpoint_of(other) for other in phones if other is not item and other.get("BridgeId") in near]
        hears_music = item.get("Channel") in music or (bridge != "" and bridge in with_music)
        state = item.get("ChannelStateDesc").lower()
        together, family = ",".join(sorted(others)), item.get("Linkedid")
        legs.append(Leg(endpoint_of(item), item.get("Channel"), state, bridge, hears_music, together, family))
    return legs


def endpoint_of(item: Message) -> str:
    """Return the endpoint of a channel such as PJSIP/101-0000002a."""
    return item.get("Channel").removeprefix(TECHNOLOGY).rpartition("-")[0]


def _is_phone(item: Message) -> bool:
    return item.get("Channel").startswith(TECHNOLOGY)


def _other_half(name: str) -> str:
    """Return the name of a Local channel's other half, "" for other channels."""
    if not name.startswith("Local/"):
        return ""
    return name[:-1] + ("2" if name.endswith("1") else "1")


def _joined_bridges(channels: list[Message]) -> dict[str, str]:
    """Return for each bridge with a Local half the bridge of the other half."""
    bridges = {item.get("Channel"): item.get("BridgeId") for item in channels}
    pairs = ((bridge, bridges.get(_other_half(name), "")) for name, bridge in bridges.items())
    return {bridge: other for bridge, other in pairs if bridge and other}
