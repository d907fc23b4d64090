"""A client that sends any bytes to a broker, reads only when told, and knows whether its socket was closed."""

import asyncio

from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.mqtt.packets import remaining_length

PATIENCE_S = 20


def packet(first, body):
    return bytes([first]) + remaining_length(len(body)) + body


def text(word):
    octets = word.encode() if isinstance(word, str) else word
    return len(octets).to_bytes(2, "big") + octets


def publish(topic, payload, qos=0, number=1):
    return packet(0x30 | qos << 1, text(topic) + (number.to_bytes(2, "big") if qos else b"") + payload)


def connect_of(enrolment, client_id, keepalive_s=60, will_topic=None, will_qos=0):
    """Return the CONNECT of a terminal, with its password."""
    fields = Connect(client_id, enrolment.tid, "", keepalive_s, will_topic, b"will", will_qos, False)
    plain = build_connect(fields)
    start = 2 if plain[1] < 128 else 3
    body = bytearray(plain[start:] + text(enrolment.mqtt_password))
    body[7] |= 0x40
    return packet(0x10, bytes(body))


class RawClient:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def log_in(self, enrolment, client_id, **options):
        """Return the code of the CONNACK; None when there was none and the connection has ended."""
        self.writer.write(connect_of(enrolment, client_id, **options))
        try:
            return (await asyncio.wait_for(self.reader.readexactly(4), PATIENCE_S))[3]
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def send(self, octets):
        self.writer.write(octets)

    async def flood(self, octets):
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

    async def wait_ended(self):
        """Read whatever comes until the connection ends."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass

    def abort(self):
        self.writer.transport.abort()
