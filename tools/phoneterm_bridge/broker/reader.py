"""The embedded broker's input from a socket: first CONNECT, then packets, with limits on size and silence.

Does not judge what it reads. Too large a packet, or silence for one and a half times the keepalive (MQTT 3.1.1,
3.1.2.10), raises ConnectionError; amqtt then ends the connection and publishes the will.
"""

import asyncio

from amqtt.adapters import ReaderAdapter

from phoneterm_bridge.broker.connect_packet import MAX_CONNECT_BYTES, Connect, ConnectRefused, is_connect, parse_connect

MAX_PACKET_BYTES = 16384
_CONNECT_TIMEOUT_S = 5


async def read_connect(reader: asyncio.StreamReader) -> Connect:
    """Return the client's CONNECT; ConnectRefused if it is bad, TimeoutError if it does not come in time."""
    async with asyncio.timeout(_CONNECT_TIMEOUT_S):
        if not is_connect((await reader.readexactly(1))[0]):
            raise ConnectRefused(0)
        size = shift = 0
        while True:
            octet = (await reader.readexactly(1))[0]
            size |= (octet & 0x7F) << shift
            shift += 7
            if not octet & 0x80:
                break
            if shift > 21:
                raise ConnectRefused(0)
        if size > MAX_CONNECT_BYTES:
            raise ConnectRefused(0)
        return parse_connect(await reader.readexactly(size))


class DoorReader(ReaderAdapter):
    """Gives amqtt a rewritten CONNECT, and then the data from the socket."""

    def __init__(self, first: bytes, reader: asyncio.StreamReader, keepalive_s: int) -> None:
        self._first = first
        self._reader = reader
        self._silence_s = keepalive_s * 1.5 or None

    async def read(self, n: int = -1) -> bytes:
        """Return exactly n octets."""
        if self._first:
            taken, self._first = self._first[:n], self._first[n:]
            return taken
        if not 0 <= n <= MAX_PACKET_BYTES:
            raise ConnectionError("the packet is too large")
        try:
            async with asyncio.timeout(self._silence_s):
                return await self._reader.readexactly(n)
        except TimeoutError:
            raise ConnectionError("the client is silent for longer than its keepalive allows") from None

    def feed_eof(self) -> None:
        """Note that nothing more will be read."""
        self._reader.feed_eof()
