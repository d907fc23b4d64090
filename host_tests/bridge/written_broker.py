"""A broker on loopback whose packets the test writes. Knows no rules: it does what real brokers do not do."""

import asyncio
import contextlib
import socket

import pytest
from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.mqtt.connection import USUAL_LIMITS, BrokerAddress, MqttConnection, NotConnected
from phoneterm_bridge.mqtt.packets import Will

WILL = Will("t/state", b"gone")
AT_MOST_S = 5  # for what has an end
LET_IN = b"\x20\x02\x00\x00"
PUBLISH, PUBACK, SUBSCRIBE, CONNECT = 0x30, 0x40, 0x80, 0x10


class WrittenBroker:
    """Accepts one connection, `connection`, of a bridge; the test reads from it and writes to it."""

    async def __aenter__(self):
        self._came = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_server(lambda *ends: self._came.set_result(ends), "127.0.0.1", 0)
        self.heard = []
        self.connection = self.make_connection()
        return self

    async def __aexit__(self, *_):
        self._server.close()
        if self._came.done():
            self._came.result()[1].transport.abort()
        await self.connection.close()

    def make_connection(self, keepalive_s=60, hear=None, limits=USUAL_LIMITS, on_batch=None, takes=None, **changes):
        """Return a connection to this broker; `hear`, if given, gets each message instead of the list `heard`."""

        async def keep(topic, payload, is_retained, _acknowledge):
            self.heard.append((topic, payload, is_retained))

        host, port = self._server.sockets[0].getsockname()
        options = {"host": host, "port": port, "username": "bridge", "password": "secret"} | changes
        address = BrokerAddress(keepalive_s=keepalive_s, **options)
        self.connection = MqttConnection(address, ("t/#",), WILL, hear or keep, limits, on_batch, takes)
        return self.connection

    async def take(self):
        """Return the next packet: its kind and flags, and its body; both empty when the bridge has disconnected."""
        reader, _ = await asyncio.shield(self._came)
        try:
            first, octet = await reader.readexactly(2)
            size, shift = octet & 127, 7
            while octet > 127:
                octet = (await reader.readexactly(1))[0]
                size |= (octet & 127) << shift
                shift += 7
            return bytes((first,)), await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b"", b""

    async def say(self, octets, cut=None):
        """Write octets, in pieces of `cut` if given, each in its own TCP packet."""
        _, writer = await asyncio.shield(self._came)
        for at in range(0, len(octets), cut or len(octets)):
            writer.write(octets[at : at + (cut or len(octets))])
            await asyncio.sleep(0)

    async def let_in(self, granted=b"\x01\x01", cut=None):
        """Accept the bridge and answer its subscription."""
        assert (await self.take())[0][0] == CONNECT
        await self.say(LET_IN, cut)
        await self.answer_subscription(granted, cut)

    async def answer_subscription(self, granted=b"\x01\x01", cut=None):
        """Answer the next subscription."""
        first, body = await self.take()
        assert first[0] == SUBSCRIBE | 2
        await self.say(bytes((0x90, 2 + len(granted))) + body[:2] + granted, cut)

    async def open(self, **options):
        """Return the connection, accepted."""
        await asyncio.gather(self.connection.open(), self.let_in(**options))
        return self.connection

    async def take_message(self):
        """Return topic, packet id and payload of the next PUBLISH."""
        first, body = await self.take()
        assert first[0] & 0xF6 == PUBLISH | 2, (first, body)
        end = 2 + int.from_bytes(body[:2], "big")
        return body[2:end].decode(), int.from_bytes(body[end : end + 2], "big"), body[end + 2 :]

    async def acknowledged(self):
        """Return the packet id of the next PUBACK."""
        first, body = await self.take()
        assert first == b"\x40", (first, body)
        return int.from_bytes(body, "big")

    async def hang_up(self, with_reset=False):
        """End the connection, orderly or with a reset."""
        _, writer = await asyncio.shield(self._came)
        if with_reset:
            linger = b"\1\0\0\0\0\0\0\0"  # on, 0 s
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def message(topic, payload=b"", number=1, first=PUBLISH | 2):
    """Return a PUBLISH with the flags in its first octet."""
    octets = packets.publish(topic, payload, number)
    return bytes((first,)) + octets[1:]


async def refusal(broker, *steps):
    """Open the connection while the broker does something, and return why it failed."""
    opening = asyncio.create_task(broker.connection.open())
    for step in steps:
        await step
    with pytest.raises(NotConnected) as caught:
        await opening
    return str(caught.value)
