"""One connection to an MQTT broker: opens it, reads whole packets from it, writes whole packets to it, closes it.

Does not reconnect, ping or know what packets are for. One task may read and one may write at a time. If a write is
cancelled, the rest of the packet is lost, so the connection must be closed.
Errors are LinkLost(reason, is_refused) or OSError.
"""

import asyncio
import errno
import socket
import time
from collections import namedtuple

from micropython import const

from phoneterm.core.causes import NO_BROKER, NO_LOGIN, NO_NAME, NO_TLS
from phoneterm.device import mqtt_decoder as received
from phoneterm.device import mqtt_packets as packets

_LIMIT_BYTES = const(1024)  # of an incoming packet: twice the longest message of the contract
_REFUSALS = "not available,user name or password,not authorised"  # from _IS_BUSY on
_IS_BUSY = const(3)
_ALERT = const(-0x7780)  # mbedTLS: the broker rejects our certificate or key

# host: name or address. ssl: an SSLContext or None. server_hostname: the name in the broker's certificate.
Broker = namedtuple("Broker", "host port client_id username password ssl server_hostname")


class LinkLost(Exception):
    """The connection is over; `args` are the reason and whether the broker refused us, which somebody must fix."""


class Connection:
    """A socket that carries packets; reused for one connection after the other, so that its memory is taken once.

    cause: what it is, of core.causes, if this connection ends now. is_heard: is set whenever bytes arrive.
    """

    def __init__(self):
        """Take the memory; connect nothing."""
        self._decoder = received.Decoder(_LIMIT_BYTES)
        self._socket = None
        self._stream = None
        self.cause = 0
        self.is_heard = False

    def is_open(self):
        """Say whether there is a socket, connected or about to be."""
        return self._socket is not None

    async def open(self, broker, keepalive_s, will):
        """Connect and sign in."""
        self._decoder.clear()
        self.cause = NO_NAME
        address = socket.getaddrinfo(broker.host, broker.port, 0, socket.SOCK_STREAM)[0]
        self.cause = NO_BROKER
        stream = self._socket = socket.socket(*address[:3])
        stream.setblocking(False)
        stream.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
        try:
            stream.connect(address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        if broker.ssl:
            stream = broker.ssl.wrap_socket(
                stream, server_hostname=broker.server_hostname, do_handshake_on_connect=False
            )
            stream.setblocking(False)
        self._stream = asyncio.StreamWriter(stream)
        connect = packets.connect(broker.client_id, broker.username, broker.password, keepalive_s, will)
        try:
            await self.write(connect)
        except ValueError as error:  # what mbedTLS says about a certificate, in the handshake
            self.cause = NO_TLS
            reason = str(error).strip()
            if "validity" in reason:
                reason += "; the clock says %d-%02d-%02d" % time.localtime()[:3]
            raise LinkLost(reason, True)
        except OSError as error:
            if broker.ssl:
                self.cause = NO_TLS
                raise LinkLost("no TLS with it: " + describe(error), error.errno == _ALERT)
            raise
        packet = await self.next_packet()
        if packet.kind != received.CONNACK or packet.ident:
            if packet.ident != _IS_BUSY:
                self.cause = NO_LOGIN
            reason = "answer %d, code %d" % (packet.kind, packet.ident)
            if _IS_BUSY <= packet.ident <= _IS_BUSY + 2:
                reason = _REFUSALS.split(",")[packet.ident - _IS_BUSY]
            raise LinkLost("broker refused: " + reason, packet.ident != _IS_BUSY)

    async def write(self, packet):
        """Write one whole packet once the socket takes it: a write while connecting is an error on some ports."""
        self._stream.out_buf = packet
        await self._stream.drain()

    def begin_write(self, packet):
        """Write one packet; return whether the socket took all of it; if not, call `end_write`."""
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
            if packet:
                if packet.kind == received.MALFORMED:
                    raise LinkLost("malformed: " + packet.payload, False)
                return packet
            count = await self._stream.readinto(decoder.room())
            if count == 0:
                raise LinkLost("closed by the broker", False)
            if count:
                decoder.fill(count)
                self.is_heard = True

    def close(self):
        """Close the socket, if there is one."""
        if self._stream:
            self._stream.s.close()
        if self._socket:
            self._socket.close()  # after a failed handshake TLS has released the socket without closing it
        self._socket = self._stream = None


def describe(error):
    """Return an OSError as a few words: its text, its name or its number."""
    return str(error.args[1]) if len(error.args) > 1 else errno.errorcode.get(error.errno, str(error))
