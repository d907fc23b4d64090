"""Reads what an MQTT 3.1.1 broker sends, cut anywhere. Does no input or output; keeps at most one unfinished packet.

A packet that no broker may send to a client with QoS 1 ends the reading: `trouble` describes it, for the middle of a
sentence, and nothing more is read. Of a message that is longer than any of ours only the beginning is kept, and the
rest is skipped: even if a broker accepts such a message from somebody, the bridge must go on hearing all others.
Source: OASIS MQTT Version 3.1.1, chapters 2 and 3.
"""

from phoneterm_bridge.mqtt.packets import CONNACK, PINGRESP, PUBACK, PUBLISH, SUBACK, UNSUBACK

MOST_PACKET_BYTES = 65536
_PUBACK_OCTET = 0x40
_QOS_1, _QOS_2 = 0x02, 0x04
# First octet -> kind, least size, most size. PUBLISH and PUBACK, which come all the time, are read apart.
_OTHERS = {
    0x20: (CONNACK, 2, 2), 0x90: (SUBACK, 3, MOST_PACKET_BYTES), 0xB0: (UNSUBACK, 2, 2), 0xD0: (PINGRESP, 0, 0),
}  # fmt: skip
_NO_LENGTH = -1

# Kind, packet id (of CONNACK: its return code), topic, payload (of SUBACK: what was granted), is retained.
Packet = tuple[int, int, str, bytes, bool]


class _Broken(Exception):
    """The broker sent something that it may not send."""


class Decoder:
    """The decoder of one connection."""

    __slots__ = ("_passed_over", "_rest", "_wanted_bytes", "trouble")

    def __init__(self) -> None:
        self.trouble = ""
        self._rest = bytearray()
        self._wanted_bytes = 0
        self._passed_over = 0  # bytes still to come of a message that is too long

    def feed(self, octets: bytes) -> list[Packet]:
        """Take new bytes and return the packets that are now complete, in order, including those before any trouble."""
        if self.trouble:
            return []
        if self._passed_over:
            octets, self._passed_over = octets[self._passed_over :], max(0, self._passed_over - len(octets))
        if self._rest:
            self._rest += octets
            if len(self._rest) < self._wanted_bytes:
                return []
            octets = bytes(self._rest)
        packets: list[Packet] = []
        try:
            at = self._read(octets, packets)
        except _Broken as broken:
            self.trouble = str(broken)
            at = len(octets)
        if at < len(octets) or self._rest:
            self._rest = bytearray(octets[at:])
        return packets

    def _read(self, octets: bytes, packets: list[Packet]) -> int:
        """Add all complete packets to a list and return where the unfinished one begins."""
        at, end = 0, len(octets)
        self._wanted_bytes = 2
        while end - at >= 2:
            first, size, start = octets[at], octets[at + 1], at + 2
            if size > 127 and end - at > 2 and octets[at + 2] < 128:  # most messages
                size, start = size & 127 | octets[at + 2] << 7, at + 3
            elif size > 127:
                size, start = _read_length(octets, at + 1)
                if size == _NO_LENGTH:
                    self._wanted_bytes = end - at + 1
                    break
                if size > MOST_PACKET_BYTES:
                    beyond = self._read_beginning(octets, at, start, size, packets)
                    if beyond == at:
                        break
                    at = beyond
                    continue
            stop = start + size
            if stop > end:
                self._wanted_bytes = stop - at
                break
            if first == _PUBACK_OCTET and size == 2:
                packets.append((PUBACK, octets[start] << 8 | octets[start + 1], "", b"", False))
            elif first >> 4 == PUBLISH:
                packets.append(_read_publish(first, octets, start, stop))
            else:
                packets.append(_read_other(first, octets[start:stop]))
            at = stop
        return at

    def _read_beginning(self, octets: bytes, at: int, start: int, size: int, packets: list[Packet]) -> int:
        """Add the beginning of a message that is too long; return where to go on, or `at` until it is there."""
        if octets[at] >> 4 != PUBLISH:
            raise _Broken(f"a packet of {size} bytes, over the limit of {MOST_PACKET_BYTES}")
        kept, stop, end = start + MOST_PACKET_BYTES, start + size, len(octets)
        if kept > end:
            self._wanted_bytes = kept - at
            return at
        packets.append(_read_publish(octets[at], octets, start, kept))
        self._passed_over = max(0, stop - end)
        return min(stop, end)


def _read_length(octets: bytes, at: int) -> tuple[int, int]:
    """Return a remaining length and where it ends; _NO_LENGTH when it is incomplete."""
    size = 0
    for index in range(4):
        if at + index >= len(octets):
            return _NO_LENGTH, at
        octet = octets[at + index]
        size |= (octet & 127) << 7 * index
        if octet < 128:
            return size, at + index + 1
    raise _Broken("an invalid length")


def _read_publish(first: int, octets: bytes, start: int, stop: int) -> Packet:
    if stop - start < 2:
        raise _Broken("a message that ends too early")
    name = start + 2
    payload = name_end = name + (octets[start] << 8 | octets[start + 1])
    if first & _QOS_1:
        payload += 2
    if payload > stop:
        raise _Broken("a message that ends too early")
    if first & _QOS_2:
        raise _Broken("a message with QoS 2, which was not asked for")
    packet_id = 0
    if first & _QOS_1:
        packet_id = octets[name_end] << 8 | octets[name_end + 1]
        if not packet_id:
            raise _Broken("a message without a packet id")
    try:
        topic = octets[name:name_end].decode()
    except UnicodeDecodeError:
        raise _Broken("a topic that is not UTF-8") from None
    if not topic or "\0" in topic or "+" in topic or "#" in topic:
        raise _Broken("a message with an invalid topic")
    return PUBLISH, packet_id, topic, octets[payload:stop], bool(first & 1)


def _read_other(first: int, body: bytes) -> Packet:
    kind, least, most = _OTHERS.get(first, (0, 0, 0))
    if not kind or not least <= len(body) <= most:
        raise _Broken(f"a packet that no broker may send (it begins with {first:#04x})")
    if kind == CONNACK:
        return CONNACK, body[1], "", b"", False
    if kind in (SUBACK, UNSUBACK):
        return kind, body[0] << 8 | body[1], "", body[2:], False
    return kind, 0, "", b"", False
