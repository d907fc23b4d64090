"""Cuts one direction of an MQTT 3.1.1 connection into whole packets, for a proxy that acts on packets.

Does not judge them: any kind of packet passes. An invalid length, or a packet over the limit, raises StreamBroken.
Source: OASIS MQTT Version 3.1.1, chapter 2.
"""

from dataclasses import dataclass

MOST_PACKET_BYTES = 65536
_NAMES = {
    1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 8: "SUBSCRIBE", 9: "SUBACK", 10: "UNSUBSCRIBE",
    11: "UNSUBACK", 12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT",
}  # fmt: skip
_DUP = 0x08


class StreamBroken(Exception):
    """The data is not MQTT, or a packet is too long."""


@dataclass(frozen=True)
class WirePacket:
    """One packet. topic: of a PUBLISH. ident: of a PUBLISH with QoS 1 and of a PUBACK, otherwise 0."""

    octets: bytes
    name: str
    topic: str = ""
    ident: int = 0
    payload: bytes = b""

    def again(self) -> bytes:
        """Return the octets with the DUP flag, as a sender repeats a PUBLISH with QoS 1."""
        return bytes((self.octets[0] | _DUP,)) + self.octets[1:]


class PacketCutter:
    """Takes octets as they come and returns whole packets; holds at most one unfinished packet."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> list[WirePacket]:
        """Return the packets that are now complete."""
        self._rest += octets
        packets = []
        while (found := _length_of(self._rest)) is not None:
            header, length = found
            if header + length > len(self._rest):
                break
            packets.append(_describe(self._rest[: header + length], header))
            self._rest = self._rest[header + length :]
        return packets


def _length_of(octets: bytes) -> tuple[int, int] | None:
    """Return (bytes of the fixed header, bytes after it), or None while the header is incomplete."""
    length = 0
    for index, octet in enumerate(octets[1:5]):
        length |= (octet & 0x7F) << 7 * index
        if not octet & 0x80:
            if length > MOST_PACKET_BYTES:
                raise StreamBroken(f"a packet of {length} bytes is more than {MOST_PACKET_BYTES}")
            return 2 + index, length
    if len(octets) >= 5:
        raise StreamBroken("a length of more than 4 bytes")
    return None


def _describe(octets: bytes, header: int) -> WirePacket:
    name = _NAMES.get(octets[0] >> 4, "UNKNOWN")
    body = octets[header:]
    if name == "PUBACK":
        return WirePacket(octets, name, ident=int.from_bytes(body[:2], "big"))
    if name != "PUBLISH":
        return WirePacket(octets, name)
    at = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:at].decode(errors="replace")
    ident = 0
    if octets[0] & 0x06:
        ident = int.from_bytes(body[at : at + 2], "big")
        at += 2
    return WirePacket(octets, name, topic, ident, body[at:])
