"""The few MQTT 3.1.1 packets that a crowd of terminals needs, as bytes. Does no input or output.

For a load generator, which must cost less than what it measures: it trusts its broker. Source: MQTT 3.1.1.
"""

import struct

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
_KEEPALIVE_S = 600
_CONNECT_FLAGS = 0xC2  # user name, password, clean session


def connect(name: str, password: str) -> bytes:
    """Return CONNECT of a client whose client id is its user name."""
    head = _text("MQTT") + struct.pack("!BBH", 4, _CONNECT_FLAGS, _KEEPALIVE_S)
    return _packet(0x10, head + _text(name) + _text(name) + _text(password))


def subscribe(topic_filter: str) -> bytes:
    """Return SUBSCRIBE to one filter with QoS 1."""
    return _packet(0x82, b"\0\1" + _text(topic_filter) + b"\1")


def publish(topic: str, payload: bytes, packet_id: int) -> bytes:
    """Return PUBLISH with QoS 1."""
    return _packet(0x32, _text(topic) + struct.pack("!H", packet_id) + payload)


def acknowledge(packet_id: bytes) -> bytes:
    """Return PUBACK of a packet id as it came."""
    return b"\x40\x02" + packet_id


def take(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Take all whole packets out of a buffer; return (type, body) of each, and of PUBLISH with QoS 0 nothing."""
    packets = []
    at = 0
    while len(buffer) - at >= 2:
        size, shift, start = 0, 0, at + 1
        while start < len(buffer):
            octet = buffer[start]
            start += 1
            size |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                break
        else:
            break
        if len(buffer) < start + size:
            break
        kind = buffer[at] >> 4
        if kind != PUBLISH or buffer[at] & 6:
            packets.append((kind, bytes(buffer[start : start + size])))
        at = start + size
    del buffer[:at]
    return packets


def split_publish(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Return topic, packet id and payload of a PUBLISH with QoS 1."""
    end = 2 + int.from_bytes(body[:2], "big")
    return body[2:end], body[end : end + 2], body[end + 2 :]


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw


def _packet(first: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = size >> 7, size & 127
        length.append(digit | (128 if size else 0))
        if not size:
            return bytes([first]) + bytes(length) + body
