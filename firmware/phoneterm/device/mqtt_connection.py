"""One connection to an MQTT broker: opens it, reads whole packets from it, writes whole packets to it, closes it.

Does not reconnect, ping or know what packets are for. One task may read and one may write at a time; the bytes of a
packet whose write was cancelled are lost in the middle, so such a connection must be closed.
What goes wrong is LinkLost(reason, is_refused) or OSError. The limit is bytes after the fixed header of a PUBLISH.
"""

import asyncio
import errno
import socket
from collections import namedtuple

from phoneterm.device import mqtt_decoder as received
from phoneterm.device import mqtt_packets as packets

LIMIT_BYTES = 1024  # twice the longest message of the contract
_IPPROTO_TCP = 6
_TCP_NODELAY = 1
_BROKER_NOT_AVAILABLE = 3
_REFUSALS = ("", "protocol version", "client id", "broker not available", "user name or password", "not authorised")

# host: name or address. ssl: an SSLContext or None. server_hostname: the name in the broker's certificate.
Broker = namedtuple("Broker", "host port client_id username password ssl server_hostname")


class LinkLost(Exception):
    """The connection is over; `args` are the reason and whether the broker refused us, which needs a person."""


class Connection:
    """A socket with packets on it; for one connection after the other, so that its memory is taken once."""

    def __init__(self):
        """Take the memory; connect nothing."""
        self._decoder = received.Decoder(LIMIT_BYTES)
        self._socket = None
        self._stream = None
        self.is_heard = False  # set whenever bytes arrive

    def is_open(self):
        """Say whether there is a socket, connected or about to be."""
        return self._socket is not None

    async def open(self, broker, keepalive_s, will):
        """Connect and sign in; return whether the broker kept a session."""
        self._decoder.clear()
        address = socket.getaddrinfo(broker.host, broker.port, 0, socket.SOCK_STREAM)[0]
        self._socket = plain = socket.socket(address[0], address[1], address[2])
        plain.setblocking(False)
        plain.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        try:
            plain.connect(address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        if broker.ssl:
            self._socket = broker.ssl.wrap_socket(
                plain, server_hostname=broker.server_hostname, do_handshake_on_connect=False
            )
            self._socket.setblocking(False)
        self._stream = asyncio.StreamWriter(self._socket)
        await self.write(packets.connect(broker.client_id, broker.username, broker.password, keepalive_s, will))
        return _check_connack(await self.next_packet())

    async def write(self, packet):
        """Write one packet whole, once the socket takes it: a write while connecting is an error on some ports."""
        self._stream.out_buf = packet
        await self._stream.drain()

    def begin_write(self, packet):
        """Write one packet; say whether the socket took it whole, otherwise `end_write` is to follow."""
        self._stream.write(packet)
        return not self._stream.out_buf

    async def end_write(self):
        """Write the rest of the packet."""
        await self._stream.drain()

    async def next_packet(self):
        """Return the next Packet."""
        decoder = self._decoder
        while True:
            packet = decoder.next_packet()
            if packet is not None:
                if isinstance(packet, received.Malformed):
                    raise LinkLost("malformed: " + packet.detail, False)
                return packet
            count = await self._stream.readinto(decoder.room())
            if count == 0:
                raise LinkLost("closed by the broker", False)
            if count:
                decoder.fill(count)
                self.is_heard = True

    def close(self):
        """Close the socket, if there is one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._stream = None


def _check_connack(packet):
    """Return the session-present flag, or raise LinkLost."""
    if packet.kind != received.CONNACK:
        raise LinkLost("the broker answered CONNECT with packet kind %d" % packet.kind, False)
    code = packet.ident
    if code:
        text = _REFUSALS[code] if code < len(_REFUSALS) else "code %d" % code
        raise LinkLost("broker refused: " + text, code != _BROKER_NOT_AVAILABLE)
    return packet.flags == 1


def describe(error):
    """Return an OSError as a few words: its text, its name or its number."""
    if len(error.args) > 1:
        return str(error.args[1])
    return errno.errorcode.get(error.errno, str(error))
