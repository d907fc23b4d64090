"""Makes the MQTT 3.1.1 packets that a client sends, each as one bytes object for one write.

Does not send them, and does not read any: `mqtt_decoder` does. Runs unchanged on CPython and on MicroPython.
Topics are str, payloads bytes, packet ids 1 to 65535. Asking for a packet that cannot exist is our own mistake and
raises ValueError. Source: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

from collections import namedtuple

CONNECT = 1
PUBLISH = 3
SUBSCRIBE = 8

PINGREQ = b"\xc0\x00"

MAX_REMAINING_BYTES = 268435455
_MAX_FIELD_BYTES = 65535

Will = namedtuple("Will", ("topic", "payload", "qos", "retain"))


def connect(client_id, username, password, keepalive_s, will=None):
    """Return a CONNECT for a clean session; `username`, `password` (str) and `will` (Will) may be None."""
    flags = 0x02
    body = _field(client_id)
    if will is not None:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
        body += _field(will.topic) + _field(will.payload)
    if username is not None:
        flags |= 0x80
        body += _field(username)
        if password is not None:
            flags |= 0x40
            body += _field(password)
    return _packet(CONNECT << 4, b"\x00\x04MQTT\x04" + bytes((flags,)) + _two_bytes(keepalive_s) + body)


def publish(topic, payload, qos, retain, ident):
    """Return a PUBLISH of `payload` (bytes); `ident` is used with QoS 1 alone."""
    if qos not in (0, 1):
        raise ValueError("QoS is 0 or 1, not %r" % qos)
    body = _field(topic)
    if qos:
        body += _two_bytes(ident)
    return _packet(PUBLISH << 4 | qos << 1 | bool(retain), body + payload)


def puback(ident):
    """Return the acknowledgement of a PUBLISH."""
    return b"\x40\x02" + _two_bytes(ident)


def subscribe(filters, ident):
    """Return a SUBSCRIBE for all of `filters` at QoS 1."""
    return _packet(SUBSCRIBE << 4 | 2, _two_bytes(ident) + b"".join([_field(name) + b"\x01" for name in filters]))


def remaining_length(length):
    """Return a length as the 1 to 4 bytes of a fixed header."""
    if not 0 <= length <= MAX_REMAINING_BYTES:
        raise ValueError("a packet cannot have %d bytes" % length)
    encoded = b""
    while length > 127:
        encoded += bytes((length & 0x7F | 0x80,))
        length >>= 7
    return encoded + bytes((length,))


def _packet(first, body):
    return bytes((first,)) + remaining_length(len(body)) + body


def _field(value):
    octets = value.encode() if isinstance(value, str) else value
    if len(octets) > _MAX_FIELD_BYTES:
        raise ValueError("a field cannot have %d bytes" % len(octets))
    return _two_bytes(len(octets)) + octets


def _two_bytes(number):
    if not 0 <= number <= 65535:
        raise ValueError("%d does not fit two bytes" % number)
    return bytes((number >> 8, number & 0xFF))
