"""The packets of MQTT 3.1.1 that a client sends, as bytes. Does no input or output and checks nothing it is given.

A text may have up to 65,535 bytes of UTF-8. Every login asks for a clean session, so that a broker keeps nothing for
later. `decoder` reads what a broker sends. Source: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 9, 11, 13  # the kinds of packet that a client gets
PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
MOST_PACKET_ID = 65535
REFUSED = 0x80  # in SUBACK, in place of a quality of service

_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE = 0x10, 0x30, b"\x40\x02", 0x82, 0xA2  # first octets
_MOST_FILTER_BYTES = 400  # in one packet: a mosquitto with our files takes none that is longer than a message
_RETAIN = 0x01
_QOS_1 = 0x02
_LEVEL = 4  # 3.1.1
_CLEAN_SESSION, _WILL_QOS_1_RETAINED, _LOGIN = 0x02, 0x2C, 0xC0  # flags of CONNECT
# The head of a PUBLISH: first octet, remaining length in one octet or in two, the topic's length.
_pack_short_head = struct.Struct(">BBH").pack
_pack_longer_head = struct.Struct(">BBBH").pack


@dataclass(frozen=True)
class Will:
    """The message that the broker publishes, retained, when its client is gone without a DISCONNECT."""

    topic: str
    payload: bytes


def connect(
    client_id: str, username: str | None, password: str = "", keepalive_s: int = 60, will: Will | None = None
) -> bytes:
    """Return CONNECT; username None: without any login."""
    flags, rest = _CLEAN_SESSION, _text(client_id)
    if will is not None:
        flags |= _WILL_QOS_1_RETAINED
        rest += _text(will.topic) + len(will.payload).to_bytes(2, "big") + will.payload
    if username is not None:
        flags |= _LOGIN
        rest += _text(username) + _text(password)
    return _packet(_CONNECT, _text("MQTT") + bytes((_LEVEL, flags)) + keepalive_s.to_bytes(2, "big") + rest)


def subscribe(packet_id: int, *filters: str) -> bytes:
    """Return SUBSCRIBE to filters with QoS 1."""
    asked = b"".join(_text(one) + b"\x01" for one in filters)
    return _packet(_SUBSCRIBE, packet_id.to_bytes(2, "big") + asked)


def unsubscribe(packet_id: int, *filters: str) -> bytes:
    """Return UNSUBSCRIBE from filters."""
    return _packet(_UNSUBSCRIBE, packet_id.to_bytes(2, "big") + b"".join(map(_text, filters)))


def split_filters(filters: Iterable[str]) -> Iterator[list[str]]:
    """Yield filters in groups, each for one packet."""
    group: list[str] = []
    size = 0
    for one in filters:
        if group and size + len(one.encode()) > _MOST_FILTER_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += len(one.encode())
    if group:
        yield group


def publish(topic: str, payload: bytes, packet_id: int, is_retained: bool = False) -> bytes:
    """Return PUBLISH with QoS 1; with QoS 0 when the packet id is 0."""
    name = topic.encode()
    if not packet_id:
        return _packet(_PUBLISH | is_retained, len(name).to_bytes(2, "big") + name + payload)
    first = _PUBLISH | _QOS_1 | _RETAIN if is_retained else _PUBLISH | _QOS_1
    size = 4 + len(name) + len(payload)
    if size < 128:
        return _pack_short_head(first, size, len(name)) + name + packet_id.to_bytes(2, "big") + payload
    if size < 16384:
        head = _pack_longer_head(first, size & 127 | 128, size >> 7, len(name))
        return head + name + packet_id.to_bytes(2, "big") + payload
    return _packet(first, len(name).to_bytes(2, "big") + name + packet_id.to_bytes(2, "big") + payload)


def acknowledge(packet_id: int) -> bytes:
    """Return PUBACK."""
    return _PUBACK + packet_id.to_bytes(2, "big")


def remaining_length(size: int) -> bytes:
    """Return the encoded length of the rest of a packet: seven bits in each octet, the lowest first."""
    octets = bytearray()
    while size > 127:
        octets.append(size & 127 | 128)
        size >>= 7
    octets.append(size)
    return bytes(octets)


def _text(text: str) -> bytes:
    octets = text.encode()
    return len(octets).to_bytes(2, "big") + octets


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + remaining_length(len(body)) + body
