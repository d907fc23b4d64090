"""A client that sends any bytes to a broker, reads only when told, and knows whether its socket was closed."""

import asyncio
import ssl
from contextlib import suppress
from typing import Self

from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.mqtt.packets import remaining_length
from phoneterm_bridge.store.records import Enrolment

from attack_lab.scenery.waiting import PATIENCE_S


def packet(first: int, body: bytes) -> bytes:
    """Return one packet of MQTT."""
    return bytes([first]) + remaining_length(len(body)) + body


def text(word: str | bytes) -> bytes:
    """Return a text as it is in a packet."""
    octets = word.encode() if isinstance(word, str) else word
    return len(octets).to_bytes(2, "big") + octets


def publish(topic: str, payload: bytes, qos: int = 0, number: int = 1) -> bytes:
    """Return a PUBLISH."""
    return packet(0x30 | qos << 1, text(topic) + (number.to_bytes(2, "big") if qos else b"") + payload)


def connect_of(
    enrolment: Enrolment, client_id: str, keepalive_s: int = 60, will_topic: str | None = None, will_qos: int = 0
) -> bytes:
    """Return the CONNECT of a terminal, with its password."""
    fields = Connect(client_id, enrolment.tid, "", keepalive_s, will_topic, b"will", will_qos, False)
    plain = build_connect(fields)
    start = 2 if plain[1] < 128 else 3
    body = bytearray(plain[start:] + text(enrolment.mqtt_password))
    body[7] |= 0x40
    return packet(0x10, bytes(body))


class RawClient:
    """One connection to 127.0.0.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None) -> Self:
        """Connect, under TLS if there is a context for it."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))

    async def log_in(
        self, enrolment: Enrolment, client_id: str, keepalive_s: int = 60, will_topic: str | None = None,
        will_qos: int = 0,
    ) -> int | None:  # fmt: skip
        """Return the code of the CONNACK; None when there was none and the connection has ended."""
        self.writer.write(connect_of(enrolment, client_id, keepalive_s, will_topic, will_qos))
        try:
            return (await asyncio.wait_for(self.reader.readexactly(4), PATIENCE_S))[3]
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    @property
    def is_ended(self) -> bool:
        """Say whether the broker has ended it, once all that came has been read."""
        return self.reader.at_eof() or self.reader.exception() is not None

    def send(self, octets: bytes) -> None:
        """Send octets."""
        self.writer.write(octets)

    async def flood(self, octets: bytes) -> int:
        """Send the same again and again, as fast as it is taken, until the connection ends; return how often."""
        count = 0
        while not self.writer.transport.is_closing():
            self.writer.write(octets)
            count += 1
            try:
                await self.writer.drain()
            except ConnectionError:
                break
        return count

    async def wait_ended(self) -> None:
        """Read whatever comes until the connection ends."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass

    def abort(self) -> None:
        """Lose the connection."""
        self.writer.transport.abort()
