"""Makes the MQTT 3.1.1 packets that a client sends, each as one bytes object for one write, or its head alone.

Does not send them, and does not read any: `mqtt_decoder` does. Runs unchanged on CPython and on MicroPython.
Topics are str, payloads bytes, packet ids 1 to 65535, QoS 0 or 1. A number out of range is our own mistake and raises
ValueError. Source: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

from collections import namedtuple

PINGREQ = b"\xc0\x00"

# The last will, of QoS 1 and retained.
Will = namedtuple("Will", "topic payload")


def connect(client_id, username, password, keepalive_s, will):
    """Return a CONNECT for a clean session; `will` may be None."""
    flags = 0xC2
    body = _field(client_id)
    if will:
        flags |= 0x2C
        body += _field(will.topic) + _field(will.payload)
    body += _field(username) + _field(password)
    return _packet(0x10, b"\x00\x04MQTT\x04" + bytes((flags,)) + two_bytes(keepalive_s) + body)


def publish(topic, payload, qos, retain, ident):
    """Return a PUBLISH of `payload` (bytes); `ident` is used only with QoS 1."""
    first = 0x30 | bool(qos) << 1 | bool(retain)
    return _packet(first, _field(topic), two_bytes(ident) if qos else b"", payload)


def publish_head(topic, length, retain):
    """Return the beginning of a PUBLISH of QoS 0, up to its payload of `length` bytes, which is to follow."""
    field = _field(topic)
    return bytes((0x30 | bool(retain),)) + remaining_length(len(field) + length) + field


def puback(ident):
    """Return the acknowledgement of a PUBLISH."""
    return b"\x40\x02" + two_bytes(ident)


def subscribe(filters, ident):
    """Return a SUBSCRIBE for all of `filters` at QoS 1."""
    return _packet(0x82, two_bytes(ident) + b"".join([_field(name) + b"\x01" for name in filters]))


def two_bytes(number):
    """Return a 16-bit number, the high byte first."""
    if not 0 <= number <= 65535:
        raise ValueError("%d does not fit two bytes" % number)
    return bytes((number >> 8, number & 255))


def remaining_length(length):
    """Return a length as the 1 to 4 bytes of a fixed header."""
    encoded = b""
    while length > 127:
        encoded += bytes((length & 127 | 128,))
        length >>= 7
    return encoded + bytes((length,))


def _packet(first, *body):
    """Return a packet; the pieces of its body are put together once, because they may be long."""
    return b"".join((bytes((first,)), remaining_length(sum(map(len, body)))) + body)


def _field(value):
    octets = value.encode() if isinstance(value, str) else value
    return two_bytes(len(octets)) + octets
