"""The CONNECT packet of MQTT 3.1.1: taken apart, and put together again. Does no input or output.

Layout from the OASIS standard, 3.1. A bad CONNECT raises ConnectRefused with the CONNACK code to send (0: none, just
close).
"""

from dataclasses import dataclass

from phoneterm_bridge.mqtt.packets import remaining_length

MAX_CONNECT_BYTES = 2048
REFUSED_VERSION = 1
REFUSED_CREDENTIALS = 4
REFUSED_NOT_ALLOWED = 5

_CONNECT = 0x10
_CLEAN_SESSION = 0x02
_WILL = 0x04
_WILL_RETAIN = 0x20
_PASSWORD = 0x40
_USERNAME = 0x80


class ConnectRefused(Exception):
    """The peer's CONNECT is not acceptable; `code` is the CONNACK return code, 0 when the packet is malformed."""

    def __init__(self, code: int) -> None:
        super().__init__(f"CONNECT refused with code {code}")
        self.code = code


@dataclass(frozen=True)
class Connect:
    """The fields of a client's CONNECT."""

    client_id: str
    username: str
    password: str
    keepalive_s: int
    will_topic: str | None
    will_payload: bytes
    will_qos: int
    is_will_retained: bool


def is_connect(first_octet: int) -> bool:
    """Say whether a packet that begins like this is a CONNECT."""
    return first_octet == _CONNECT


def parse_connect(body: bytes) -> Connect:
    """Return the CONNECT in a packet's body (all after the remaining length)."""
    fields = _Fields(body)
    if fields.read_text() != "MQTT":
        raise ConnectRefused(0)
    if fields.read(1)[0] != 4:
        raise ConnectRefused(REFUSED_VERSION)
    flags = fields.read(1)[0]
    if flags & 1:
        raise ConnectRefused(0)
    keepalive_s = int.from_bytes(fields.read(2), "big")
    client_id = fields.read_text()
    will_topic = fields.read_text() if flags & _WILL else None
    will_payload = fields.read_binary() if flags & _WILL else b""
    if not flags & _USERNAME or not flags & _PASSWORD:
        raise ConnectRefused(REFUSED_CREDENTIALS)
    username, password = fields.read_text(), fields.read_text()
    is_will_retained = bool(flags & _WILL_RETAIN)
    return Connect(
        client_id, username, password, keepalive_s, will_topic, will_payload, (flags >> 3) & 3, is_will_retained
    )


def build_connect(connect: Connect) -> bytes:
    """Return a whole CONNECT packet for these fields: always a clean session, without the password."""
    flags = _CLEAN_SESSION | _USERNAME
    will = b""
    if connect.will_topic is not None:
        flags |= _WILL | connect.will_qos << 3 | (_WILL_RETAIN if connect.is_will_retained else 0)
        will = _pack(connect.will_topic.encode()) + _pack(connect.will_payload)
    head = _pack(b"MQTT") + bytes([4, flags]) + connect.keepalive_s.to_bytes(2, "big")
    body = head + _pack(connect.client_id.encode()) + will + _pack(connect.username.encode())
    return bytes([_CONNECT]) + remaining_length(len(body)) + body


def build_connack(code: int) -> bytes:
    """Return the CONNACK that refuses a connection."""
    return bytes([0x20, 2, 0, code])


class _Fields:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def read(self, size: int) -> bytes:
        octets = self._body[self._at : self._at + size]
        if len(octets) < size:
            raise ConnectRefused(0)
        self._at += size
        return octets

    def read_binary(self) -> bytes:
        return self.read(int.from_bytes(self.read(2), "big"))

    def read_text(self) -> str:
        try:
            return self.read_binary().decode()
        except UnicodeDecodeError:
            raise ConnectRefused(0) from None


def _pack(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets
