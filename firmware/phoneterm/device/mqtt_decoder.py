"""Cuts the bytes that an MQTT 3.1.1 broker sends into packets, in bounded memory for any input.

Does not read sockets or answer. Runs unchanged on CPython and on MicroPython.
Bad input gives a Packet of kind MALFORMED, after which the stream cannot be decoded any more. A PUBLISH over the limit
is discarded as it arrives, and gives a Packet of kind DROPPED, so that it can be acknowledged.
Source: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

from collections import namedtuple

MALFORMED = -1
DROPPED = 0
CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

_HEADER_BYTES = 5
_BODY_BYTES = {2: 2, 4: 2, 5: 2, 6: 2, 7: 2, 11: 2, 13: 0}  # of the kinds that always have the same

# flags: the low four bits of the first byte, of a CONNACK the session-present bit. ident: packet id, 0 for none, of a
# CONNACK the return code. topic: str. payload: bytes, of a PUBLISH the message, of a SUBACK the return codes; of what
# is MALFORMED a few words.
Packet = namedtuple("Packet", "kind flags ident topic payload")


class Decoder:
    """Cuts a stream of bytes into packets: fill `room()`, say `fill(count)`, then ask `next_packet()` until None."""

    def __init__(self, limit_bytes):
        """Take packets of at most `limit_bytes` after the fixed header."""
        self._limit = limit_bytes
        self._buffer = bytearray(limit_bytes + _HEADER_BYTES)
        self._view = memoryview(self._buffer)
        self.clear()

    def clear(self):
        """Forget everything: a new connection begins."""
        self._start = self._end = 0
        self._left = 0  # bytes still to come of a message that is being discarded
        self._ident_left = 0  # its packet id comes when this many bytes are left; 0: none, or seen
        self._ident = 0

    def room(self):
        """Return the buffer for the next bytes; never empty after `next_packet()` has returned None."""
        return self._view[self._end :]

    def fill(self, count):
        """Note that the first `count` bytes of `room()` have been written."""
        self._end += count

    def next_packet(self):
        """Return the next Packet, or None when more bytes are needed."""
        packet = self._throw_away() if self._left else self._parse_packet()
        if packet is None:
            kept = self._end - self._start
            self._buffer[:kept] = self._buffer[self._start : self._end]
            self._start = 0
            self._end = kept
        return packet

    def _parse_packet(self):
        buffer = self._buffer
        at = self._start + 1
        length = shift = 0
        while True:
            if shift > 21:
                return _malformed("a length of more than 4 bytes")
            if at >= self._end:
                return None
            length |= (buffer[at] & 127) << shift
            shift += 7
            at += 1
            if buffer[at - 1] < 128:
                break
        kind = buffer[self._start] >> 4
        flags = buffer[self._start] & 15
        if kind == PUBLISH and length > self._limit:
            return self._begin_throwing(flags, at, length)
        is_right = _BODY_BYTES[kind] == length if kind in _BODY_BYTES else kind in (PUBLISH, SUBACK) and length > 2
        if not is_right or length > self._limit:
            return _malformed("kind %d, %d bytes" % (kind, length))
        if at + length > self._end:
            return None
        self._start = at + length
        if kind == PUBLISH:
            return _parse_publish(flags, self._view[at : at + length])
        return _parse(kind, self._view[at : at + length])

    def _begin_throwing(self, flags, at, length):
        if at + 2 > self._end:
            return None
        self._start = at
        self._left = length
        self._ident = self._ident_left = 0
        if flags & 6:
            self._ident_left = length - 2 - _number(self._buffer, at)
            if self._ident_left < 2:
                return _malformed("a topic too long")
        return self._throw_away()

    def _throw_away(self):
        thrown = min(self._end - self._start, self._left - self._ident_left)
        self._start += thrown
        self._left -= thrown
        if self._left and self._left == self._ident_left and self._end - self._start > 1:
            self._ident = _number(self._buffer, self._start)
            self._ident_left = 0
            return self._throw_away()
        return None if self._left else Packet(DROPPED, 0, self._ident, "", b"")


def _parse(kind, body):
    if kind == CONNACK:
        return Packet(kind, body[0] & 1, body[1], "", b"")
    return Packet(kind, 0, _number(body, 0) if body else 0, "", bytes(body[2:]))


def _parse_publish(flags, body):
    ident = 0
    at = 2 + _number(body, 0)
    try:
        topic = bytes(body[2:at]).decode()
    except ValueError:
        return _malformed("a topic that is not UTF-8")
    if flags & 6:
        at += 2
        ident = _number(body, at - 2) if at <= len(body) else 0
    if at > len(body) or (flags & 6 and not ident) or flags & 4:
        return _malformed("PUBLISH of %d bytes" % len(body))
    return Packet(PUBLISH, flags, ident, topic, bytes(body[at:]))


def _number(octets, at):
    return octets[at] << 8 | octets[at + 1]


def _malformed(detail):
    return Packet(MALFORMED, 0, 0, "", detail)
