"""Shared by the proxy's tests: a scripted peer on each side of a fault proxy."""

import asyncio

import pytest
from fault_lab.proxy import FaultProxy

PATIENCE_S = 20


class Peer:
    """One end of a connection: the received data, and whether the other end has closed."""

    def __init__(self, reader, writer):
        self._reader = reader
        self.writer = writer
        self.received = b""
        self.is_closed = False
        self.news = asyncio.Condition()
        self._task = asyncio.create_task(self._follow())

    def send(self, octets):
        """Send octets as they are."""
        self.writer.write(octets)

    async def until(self, is_so, what):
        """Wait until a condition is true for this peer."""
        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(is_so), PATIENCE_S)
            except TimeoutError:
                raise AssertionError(f"{what}; received {self.received!r}") from None

    async def until_received(self, octets):
        """Wait until exactly this has been received."""
        await self.until(lambda: self.received == octets, f"{octets!r} never came")

    async def until_closed(self):
        """Wait until the other end has closed."""
        await self.until(lambda: self.is_closed, "it was never closed")

    async def _follow(self):
        octets = b"-"
        while octets:
            try:
                octets = await self._reader.read(65536)
            except OSError:
                octets = b""
            async with self.news:
                self.received += octets
                self.is_closed = not octets
                self.news.notify_all()

    async def close(self):
        """Close this end."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.writer.transport.abort()


class Pair:
    """A proxy with a scripted broker behind it; `join` gives (client, broker) of a new connection."""

    def __init__(self):
        self._joined = asyncio.Queue()
        self._peers = []

    async def start(self):
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.proxy = FaultProxy(self._server.sockets[0].getsockname()[1])
        await self.proxy.start()

    async def _take(self, reader, writer):
        await self._joined.put(Peer(reader, writer))

    async def connect(self):
        """Connect to the proxy and return the client."""
        client = Peer(*await asyncio.open_connection("127.0.0.1", self.proxy.port))
        self._peers.append(client)
        return client

    async def join(self):
        """Connect through the proxy."""
        client = await self.connect()
        broker = await asyncio.wait_for(self._joined.get(), PATIENCE_S)
        self._peers.append(broker)
        return client, broker

    async def stop_broker(self):
        """Stop listening behind the proxy."""
        self._server.close()
        await self._server.wait_closed()

    async def stop(self):
        """Close everything."""
        await self.proxy.stop()
        for peer in self._peers:
            await peer.close()
        await self.stop_broker()


@pytest.fixture
async def pair():
    """A started Pair."""
    pair = Pair()
    await pair.start()
    yield pair
    await pair.stop()
