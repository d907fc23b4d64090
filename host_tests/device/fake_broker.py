"""A broker that does what a test says, byte by byte.

Does not know MQTT beyond cutting its input into packets. Each connection runs the next script, a coroutine function
of a Peer; every further connection runs the last script.
"""

import asyncio
from collections import namedtuple

Received = namedtuple("Received", "first body")
CONNACK = b"\x20\x02\x00\x00"
PUBLISH = b"\x30\x05\x00\x01dhi"  # QoS 0, topic d, payload "hi"


class Peer:
    """The broker's end of one client's connection."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    async def packet(self):
        """Return the next packet of the client."""
        first = (await self._reader.readexactly(1))[0]
        length = shift = 0
        while True:
            octet = (await self._reader.readexactly(1))[0]
            length |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return Received(first, await self._reader.readexactly(length))

    async def chunk(self):
        """Return the data of one read."""
        return await self._reader.read(65536)

    def send(self, octets):
        """Send bytes."""
        self._writer.write(octets)

    async def trickle(self, octets):
        """Send bytes one at a time, each in its own segment."""
        for octet in octets:
            self._writer.write(bytes([octet]))
            await self._writer.drain()
            await asyncio.sleep(0)

    async def welcome(self):
        """Accept the connection and its subscription."""
        await self.packet()
        self.send(CONNACK)
        subscribe = await self.packet()
        self.send(suback(subscribe))

    async def until_gone(self):
        """Read and ignore until the client is gone."""
        while await self._reader.read(4096):
            pass

    async def packet_but_pings(self):
        """Return the next packet other than PINGREQ; pings are answered."""
        while True:
            packet = await self.packet()
            if packet.first != 0xC0:
                return packet
            self.send(b"\xd0\x00")

    def cut(self):
        """Reset the connection."""
        self._writer.transport.abort()


def suback(subscribe, code=1):
    """Return the SUBACK for a SUBSCRIBE with two filters."""
    return b"\x90\x04" + subscribe.body[:2] + bytes([1, code])


def publish(ident, payload, flags=2):
    """Return a PUBLISH of QoS 1 to topic d."""
    body = b"\x00\x01d" + ident.to_bytes(2, "big") + payload
    return bytes([0x30 | flags]) + _remaining_length(len(body)) + body


class FakeBroker:
    """Listens on a free port of 127.0.0.1; `errors` holds the errors of scripts."""

    def __init__(self, scripts):
        self._scripts = list(scripts)
        self._tasks = set()
        self._server = None
        self.connections = 0
        self.errors = []

    async def start(self):
        """Start listening."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def port(self):
        """Where it listens."""
        return self._server.sockets[0].getsockname()[1]

    async def stop(self):
        """Close everything."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(reader, writer))
        except (EOFError, OSError, asyncio.CancelledError):
            pass  # the client left, or was cut, or the test is over
        except Exception as error:
            self.errors.append(repr(error))
        finally:
            self._tasks.discard(asyncio.current_task())
            writer.close()


def _remaining_length(length):
    """Return a remaining length in as few bytes as possible."""
    octets = bytearray()
    while True:
        octets.append(length % 128 | (0x80 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes(octets)
