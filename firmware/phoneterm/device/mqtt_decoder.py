"""Cuts the bytes that an MQTT 3.1.1 broker sends into packets, in bounded memory whatever they are.

Does not read sockets or answer. Runs unchanged on CPython and on MicroPython.
What a broker sends wrongly is a value, `Malformed(detail)`, after which the stream cannot be followed any more. A
PUBLISH over the limit is thrown away as it comes in, and reported as DROPPED so that it can be acknowledged.
Source: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

from collections import namedtuple

DROPPED = 0  # not on the wire: a PUBLISH over the limit, thrown away; flags and ident are those it had
CONNACK = 2
PUBLISH = 3
PUBACK = 4
PUBCOMP = 7
SUBACK = 9
UNSUBACK = 11
PINGRESP = 13

RETAIN = 1
SUBSCRIPTION_REFUSED = 0x80
_HEADER_BYTES = 5

# flags: low four bits of the first byte, of a CONNACK the session-present bit. ident: packet id, 0 for none, of a
# CONNACK the return code. topic: str. payload: bytes, of a PUBLISH the message, of a SUBACK the return codes.
Packet = namedtuple("Packet", ("kind", "flags", "ident", "topic", "payload"))
Malformed = namedtuple("Malformed", ("detail",))


class Decoder:
    """Cuts a stream of bytes into packets: fill `room()`, say `fill(count)`, then ask `next_packet()` until None."""

    def __init__(self, limit_bytes):
        """Take PUBLISH packets of at most `limit_bytes` after the fixed header; longer ones come out as DROPPED."""
        self._limit = limit_bytes
        self._buffer = bytearray(limit_bytes + _HEADER_BYTES)
        self._view = memoryview(self._buffer)
        self.clear()

    def clear(self):
        """Forget everything: a new connection begins."""
        self._start = 0
        self._end = 0
        self._left = 0  # bytes still to come of a packet that is being thrown away
        self._ident_left = 0  # its packet id comes when so many bytes are left; 0: none, or seen
        self._flags = 0
        self._ident = 0

    def room(self):
        """Return the memory for the next bytes; never empty after `next_packet()` has returned None."""
        return self._view[self._end :]

    def fill(self, count):
        """Say that the first `count` bytes of `room()` have been written."""
        self._end += count

    def next_packet(self):
        """Return the next Packet, Malformed(detail), or None when more bytes are needed."""
        packet = self._throw_away() if self._left else self._take()
        if packet is None:
            kept = self._end - self._start
            if kept and self._start:
                self._buffer[:kept] = self._buffer[self._start : self._end]
            self._start = 0
            self._end = kept
        return packet

    def _take(self):
        buffer = self._buffer
        at = self._start + 1
        length = 0
        shift = 0
        while True:
            if at >= self._end:
                return None
            octet = buffer[at]
            length |= (octet & 0x7F) << shift
            at += 1
            if octet < 0x80:
                break
            shift += 7
            if shift > 21:
                return Malformed("remaining length of more than 4 bytes")
        kind = buffer[self._start] >> 4
        flags = buffer[self._start] & 0x0F
        if length > self._limit:
            return self._begin_throwing(kind, flags, at, length)
        if at + length > self._end:
            return None
        self._start = at + length
        return _parse_publish(flags, self._view[at : at + length]) if kind == PUBLISH else self._parse(kind, at, length)

    def _parse(self, kind, at, length):
        buffer = self._buffer
        if kind == PINGRESP:
            return Packet(kind, 0, 0, "", b"") if length == 0 else Malformed("PINGRESP with a body")
        if kind == SUBACK:
            if length < 3:
                return Malformed("SUBACK of %d bytes" % length)
            return Packet(kind, 0, buffer[at] << 8 | buffer[at + 1], "", bytes(self._view[at + 2 : at + length]))
        if length != 2 or not (kind in (CONNACK, UNSUBACK) or PUBACK <= kind <= PUBCOMP):
            return Malformed("packet of kind %d and %d bytes" % (kind, length))
        if kind == CONNACK:
            return Packet(kind, buffer[at] & 1, buffer[at + 1], "", b"")
        return Packet(kind, 0, buffer[at] << 8 | buffer[at + 1], "", b"")

    def _begin_throwing(self, kind, flags, at, length):
        if kind != PUBLISH:
            return Malformed("packet of kind %d and %d bytes" % (kind, length))
        if at + 2 > self._end:
            return None
        topic_bytes = self._buffer[at] << 8 | self._buffer[at + 1]
        left = length - 2 - topic_bytes
        if left < 2:
            return Malformed("PUBLISH whose topic does not fit")
        self._start = at
        self._left = length
        self._flags = flags
        self._ident = 0
        self._ident_left = left if flags & 6 else 0
        return self._throw_away()

    def _throw_away(self):
        thrown = min(self._end - self._start, self._left - self._ident_left)
        self._start += thrown
        self._left -= thrown
        if self._ident_left and self._left == self._ident_left:
            if self._end - self._start < 2:
                return None
            self._ident = self._buffer[self._start] << 8 | self._buffer[self._start + 1]
            self._ident_left = 0
            return self._throw_away()
        return Packet(DROPPED, self._flags, self._ident, "", b"") if self._left == 0 else None


def _parse_publish(flags, body):
    qos = flags >> 1 & 3
    if qos > 1:
        return Malformed("PUBLISH of QoS %d" % qos)
    if len(body) < 2:
        return Malformed("PUBLISH of %d bytes" % len(body))
    at = 2 + (body[0] << 8 | body[1])
    if at + 2 * qos > len(body):
        return Malformed("PUBLISH whose topic does not fit")
    try:
        topic = bytes(body[2:at]).decode()
    except ValueError:
        return Malformed("PUBLISH whose topic is not UTF-8")
    ident = 0
    if qos:
        ident = body[at] << 8 | body[at + 1]
        at += 2
        if ident == 0:
            return Malformed("PUBLISH with packet id 0")
    return Packet(PUBLISH, flags, ident, topic, bytes(body[at:]))
