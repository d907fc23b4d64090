"""An MQTT 3.1.1 client for asyncio: one connection, kept up by one task, and no promise it cannot keep.

Does not know what the messages mean, store anything for later, or touch Wi-Fi. The application starts `receive()`
and `send()` as tasks, once each: `receive` is the only one that opens connections, `send` the only one that writes
after the subscription went out, so a cancelled task never leaves half a packet behind.
Times are ms. A publish has a definite outcome: True, or False when not connected or not acknowledged in time.
A connection on which nothing was heard for two ping intervals (half of the keepalive) is given up.
`mqtt_packets` has the bytes; no exception leaves this module but cancellation and ValueError for misuse.
"""

import asyncio
import errno
import socket
import time
from collections import namedtuple

from phoneterm.device import mqtt_packets as packets

CONNECT_MS = 10000  # from the first SYN to SUBACK; a TLS handshake on the ESP32 takes up to 3 s of it
STEADY_MS = 5000  # a connection that lasted so long resets the back-off
LIMIT_BYTES = 1024  # twice the longest message of the contract
MAX_WAITING = 16  # packets that wait for the socket; more mean that the broker takes nothing any more
_IPPROTO_TCP = 6
_TCP_NODELAY = 1
_REFUSALS = ("", "protocol version", "client id", "broker not available", "user name or password", "not authorised")
_BROKER_NOT_AVAILABLE = 3

# host: name or address. ssl: an SSLContext or None. server_hostname: the name in the broker's certificate.
Broker = namedtuple("Broker", "host port client_id username password keepalive_s ssl server_hostname")


class LinkLost(Exception):
    """The connection is over; `args` are the reason and whether the broker refused us, which needs a person."""


class Outcome:
    """What became of one publish: `done` is set once it is known, `is_good` says how."""

    def __init__(self):
        self.done = asyncio.Event()
        self.is_good = False

    def settle(self, is_good):
        """Make the outcome known."""
        self.is_good = is_good
        self.done.set()


class MqttClient:
    """The client. Callbacks: on_message(topic, payload, is_retained), on_link(is_up), log(event, detail)."""

    def __init__(self, broker, filters, will, on_message, on_link, log, pauses, wait_network=None, on_progress=None):
        """`pauses` has `after_loss` and `after_refusal` (core.backoff) and `random_fraction()`.

        `wait_network` is a coroutine function that returns once there is a network; `on_progress` is called
        whenever the sending task comes round, at least once a ping interval.
        """
        self._broker = broker
        self._filters = filters
        self._will = will
        self._on_message = on_message
        self._on_link = on_link
        self._log = log
        self._pauses = pauses
        self._wait_network = wait_network
        self._on_progress = on_progress
        self._ping_ms = broker.keepalive_s * 1000 // 4
        self._decoder = packets.Decoder(LIMIT_BYTES)
        self._socket = None
        self._stream = None  # set once `send` may write
        self._outgoing = []  # [packet, Outcome or None]; the first may be on its way
        self._work = asyncio.Event()
        self._waiting = {}  # packet id -> Outcome
        self._ident = 0
        self._subscribe_ident = 0
        self._receiver = None
        self._drop_reason = None
        self._logged = None
        self._is_heard = False
        self._pinged_at = 0
        self.is_up = False  # connected, and every subscription acknowledged
        self.connects = 0
        self.dropped = 0  # packets over the limit
        self.unexpected = 0  # acknowledgements nobody waited for

    async def publish(self, topic, payload, qos=0, retain=False, deadline_ms=3000):
        """Send now; say whether it was acknowledged (QoS 1) or handed to the network (QoS 0) in time."""
        if not self.is_up or len(self._outgoing) >= MAX_WAITING:
            return False
        ident = self._next_ident() if qos else 0
        outcome = Outcome()
        entry = (packets.publish(topic, payload, qos, retain, ident), None if qos else outcome)
        if qos:
            self._waiting[ident] = outcome
        self._put(entry)
        try:
            await asyncio.wait_for_ms(outcome.done.wait(), deadline_ms)
        except asyncio.TimeoutError:
            pass
        finally:
            if self._waiting.get(ident) is outcome:
                del self._waiting[ident]
            if entry in self._outgoing[1:]:
                self._outgoing.remove(entry)
        return outcome.is_good

    def drop(self, reason):
        """Give the connection up, if there is one; `receive` makes the next. Not to be called from a callback."""
        if self._socket is None or self._drop_reason:
            return
        self._drop_reason = reason
        self._receiver.cancel()
        self._close()

    async def receive(self):
        """Connect, hand messages over, connect again: for ever."""
        self._receiver = asyncio.current_task()
        while True:
            if self._wait_network:
                await self._wait_network()
            pauses = self._pauses
            started_at = time.ticks_ms()
            try:
                await self._run_connection()
            except LinkLost as lost:
                reason, is_refused = lost.args
            finally:
                self._close()
            if reason != self._logged:
                self._log("link-refused" if is_refused else "link-lost", reason)
                self._logged = reason
            if time.ticks_diff(time.ticks_ms(), started_at) >= STEADY_MS + (CONNECT_MS if is_refused else 0):
                pauses.after_loss.reset()
            backoff = pauses.after_refusal if is_refused else pauses.after_loss
            await asyncio.sleep_ms(backoff.next_ms(pauses.random_fraction()))

    async def _run_connection(self):
        """Keep one connection as long as it lasts, then raise LinkLost."""
        self._drop_reason = None
        try:
            await asyncio.wait_for_ms(self._open(), CONNECT_MS)
            while True:
                self._take(await self._next_packet(self._stream))
        except asyncio.TimeoutError:
            raise LinkLost("no answer in %d ms" % CONNECT_MS, False)
        except OSError as error:
            raise LinkLost(describe(error), False)
        except asyncio.CancelledError:
            if self._drop_reason is None:
                raise
            raise LinkLost(self._drop_reason, False)

    async def _open(self):
        """Connect, sign in and subscribe."""
        broker = self._broker
        address = socket.getaddrinfo(broker.host, broker.port, 0, socket.SOCK_STREAM)[0]
        raw = self._socket = socket.socket(address[0], address[1], address[2])
        raw.setblocking(False)
        raw.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        try:
            raw.connect(address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        if broker.ssl:
            raw = broker.ssl.wrap_socket(raw, server_hostname=broker.server_hostname, do_handshake_on_connect=False)
            raw.setblocking(False)
            self._socket = raw
        stream = asyncio.StreamWriter(raw)
        self._decoder.clear()
        await _write_when_ready(
            stream,
            packets.connect(broker.client_id, broker.username, broker.password, broker.keepalive_s, self._will),
        )
        self._check_connack(await self._next_packet(stream))
        self._subscribe_ident = self._next_ident()
        await _write_when_ready(stream, packets.subscribe(self._filters, self._subscribe_ident))
        self._is_heard = True
        self._pinged_at = time.ticks_ms()
        self._stream = stream
        self._work.set()
        while not self.is_up:
            self._take(await self._next_packet(stream))

    def _check_connack(self, packet):
        if packet.kind != packets.CONNACK:
            raise LinkLost("the broker answered CONNECT with packet kind %d" % packet.kind, False)
        code = packet.ident
        if code:
            text = _REFUSALS[code] if code < len(_REFUSALS) else "code %d" % code
            raise LinkLost("broker refused: " + text, code != _BROKER_NOT_AVAILABLE)
        if packet.flags:
            self._log("link-session", "the broker kept a session that was to be clean")

    async def _next_packet(self, stream):
        decoder = self._decoder
        while True:
            packet = decoder.next_packet()
            if packet is not None:
                if isinstance(packet, packets.Malformed):
                    raise LinkLost("malformed: " + packet.detail, False)
                return packet
            count = await stream.readinto(decoder.room())
            if count == 0:
                raise LinkLost("closed by the broker", False)
            if count:
                decoder.fill(count)
                self._is_heard = True

    def _take(self, packet):
        """Act on one packet."""
        kind = packet.kind
        if kind == packets.PUBLISH:
            self._on_message(packet.topic, packet.payload, bool(packet.flags & packets.RETAIN))
            if packet.ident:
                self._put((packets.puback(packet.ident), None))
        elif kind == packets.DROPPED:
            self.dropped += 1
            if packet.ident:
                self._put((packets.puback(packet.ident), None))
        elif kind == packets.PUBACK and packet.ident in self._waiting:
            self._waiting.pop(packet.ident).settle(True)
        elif kind == packets.SUBACK and packet.ident == self._subscribe_ident:
            self._take_suback(packet.payload)
        elif kind != packets.PINGRESP:
            self.unexpected += 1

    def _take_suback(self, codes):
        self._subscribe_ident = 0
        for index, name in enumerate(self._filters):
            if index >= len(codes) or codes[index] == packets.SUBSCRIPTION_REFUSED:
                raise LinkLost("broker refused to subscribe " + name, True)
        self.is_up = True
        self.connects += 1
        self._logged = None
        self._pauses.after_refusal.reset()
        self._log("link-up", "connection %d" % self.connects)
        self._on_link(True)

    async def send(self):
        """Write what waits, one packet a write, and ping: for ever."""
        while True:
            due_ms = self._ping_ms
            if self._stream:
                due_ms -= time.ticks_diff(time.ticks_ms(), self._pinged_at)
            try:
                await asyncio.wait_for_ms(self._work.wait(), max(due_ms, 0))
            except asyncio.TimeoutError:
                pass
            self._work.clear()
            if self._on_progress:
                self._on_progress()
            if self._stream and time.ticks_diff(time.ticks_ms(), self._pinged_at) >= self._ping_ms:
                self._ping()
            while self._stream and self._outgoing:
                await self._write_first()

    def _ping(self):
        if not self._is_heard:
            self.drop("nothing heard for %d ms" % (2 * self._ping_ms))
            return
        self._is_heard = False
        self._pinged_at = time.ticks_ms()
        self._put((packets.PINGREQ_PACKET, None))

    async def _write_first(self):
        """Write the first waiting packet whole, or drop the connection."""
        stream = self._stream
        entry = self._outgoing[0]
        is_written = False
        try:
            stream.write(entry[0])
            if stream.out_buf:
                await asyncio.wait_for_ms(stream.drain(), self._ping_ms)
            is_written = True
        except asyncio.TimeoutError:
            self.drop("the broker takes nothing")
        except OSError as error:
            self.drop(describe(error))
        finally:
            if not is_written:
                self.drop("half a packet was written")
        if stream is self._stream:
            self._outgoing.pop(0)
            if entry[1]:
                entry[1].settle(True)

    def _put(self, entry):
        if len(self._outgoing) >= 2 * MAX_WAITING:
            raise LinkLost("the broker takes nothing", False)
        self._outgoing.append(entry)
        self._work.set()

    def _next_ident(self):
        while True:
            self._ident = self._ident % 65535 + 1
            if self._ident not in self._waiting:
                return self._ident

    def _close(self):
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._stream = None
        for entry in self._outgoing:
            if entry[1]:
                entry[1].settle(False)
        self._outgoing = []
        for outcome in self._waiting.values():
            outcome.settle(False)
        self._waiting = {}
        if self.is_up:
            self.is_up = False
            self._on_link(False)


async def _write_when_ready(stream, packet):
    """Write a packet once the socket takes it: while connecting, a write itself is an error on some ports."""
    stream.out_buf = packet
    await stream.drain()


def describe(error):
    """Return an OSError as a few words: its text, its name or its number."""
    if len(error.args) > 1:
        return str(error.args[1])
    return errno.errorcode.get(error.errno, str(error))
