"""Cuts one direction of a TLS connection into records, for a proxy that disturbs traffic it cannot read.

Does not decrypt or judge them. Data that is not TLS raises StreamBroken. Source: RFC 8446, 5.1 (the same in TLS 1.2).
"""

from fault_lab.mqtt_stream import StreamBroken, WirePacket

HANDSHAKE, DATA = "HANDSHAKE", "DATA"
_NAMES = {20: "CHANGE", 21: "ALERT", 22: HANDSHAKE, 23: DATA}
_HEADER_BYTES = 5
_MOST_RECORD_BYTES = 16384 + 2048


class RecordCutter:
    """Takes octets as they come and returns whole records as packets; holds at most one unfinished record."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> list[WirePacket]:
        """Return the records that are now complete."""
        self._rest += octets
        records = []
        while len(self._rest) >= _HEADER_BYTES:
            kind, length = self._rest[0], int.from_bytes(self._rest[3:5], "big")
            if kind not in _NAMES or length > _MOST_RECORD_BYTES:
                raise StreamBroken("this is no TLS record")
            if len(self._rest) < _HEADER_BYTES + length:
                break
            records.append(WirePacket(self._rest[: _HEADER_BYTES + length], _NAMES[kind]))
            self._rest = self._rest[_HEADER_BYTES + length :]
        return records
