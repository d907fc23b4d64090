"""An MQTT 3.1.1 client for asyncio: one connection, kept up by one task, and no promise that it cannot keep.

Does not know what messages mean, keep anything for later, or touch Wi-Fi. The application starts `receive()`, `send()`
and `ping()` as tasks, once each. Only `receive` opens connections; only `send` writes once the subscription has been
sent, so cancelling a publish never leaves half a packet behind.
Times are ms. A publish has a definite outcome: True, or False when not connected or not acknowledged in time.
A connection without incoming data for two ping intervals (half of the keepalive) is given up.
A message that the broker sends twice is delivered twice, as QoS 1 allows. Sessions are clean; a session that the broker
kept all the same does no harm, because everything awaited belongs to one connection.
"""

import asyncio
import time
from collections import namedtuple

from micropython import const

from phoneterm.core.causes import NO_LOGIN, NO_MEMORY
from phoneterm.device import mqtt_decoder as received
from phoneterm.device import mqtt_packets as packets
from phoneterm.device.mqtt_connection import Connection, LinkLost, describe

_MOST_PACKETS = const(16)  # packets waiting to be written; more mean that the broker no longer takes any
_LOOK_MS = const(10)  # for an acknowledgement; an event with a deadline would take a task more, 0.5 KB for each message
_GOOD_MS = const(60000)  # a connection that lasted so long was not what the one before it was given up for

# connect_ms: from the first SYN to the subscription. steady_ms: a connection that lasted so long resets the back-off.
# after_loss, after_refusal: core.backoff. random_fraction: a function, 0 to below 1.
Timing = namedtuple("Timing", "keepalive_s connect_ms steady_ms after_loss after_refusal random_fraction")


class MqttClient:
    """The client. `owner` has on_message(topic, payload, is_retained), on_link(is_up) and on_progress().

    cause: what keeps it from the broker since the last attempt has failed, one of core.causes, or 0.
    logged: the reason that was logged last; None makes it log the next one, even if it is the same.
    on_progress is called in each round of `send`: at least once in a ping interval, a quarter of the keepalive.
    """

    def __init__(self, broker, filters, will, timing, owner, log, wait_network=None):
        """Take log(event, detail) and a coroutine function that returns once there is a network."""
        self._broker = broker
        self._filters = filters
        self._will = will
        self._timing = timing
        self._owner = owner
        self._log = log
        self._wait_network = wait_network
        self._ping_ms = timing.keepalive_s * 250
        self._connection = Connection()
        self._may_send = False
        self._packets = []  # to be written, first one first
        self._work = asyncio.Event()  # there are packets, or a ping interval is over
        self._waiting = {}  # packet id -> whether it was acknowledged, None as long as that is not known
        self._ident = 0
        self._attempt = 0
        self._receiver = None
        self._drop_reason = None
        self.logged = None
        self.cause = 0
        self._up_at = 0
        self.is_up = False  # connected, and every subscription acknowledged
        self.connects = 0
        self.dropped = 0  # messages over the limit
        self.unexpected = 0  # unexpected packets

    async def publish(self, topic, payload, qos=0, retain=False, deadline_ms=3000):
        """Send now; return whether it was acknowledged in time (QoS 1) or passed to the connection (QoS 0)."""
        if not self.is_up or len(self._packets) >= _MOST_PACKETS:
            return False
        if not qos:  # in two writes: together they would take more memory in one piece than anything else
            self._put(packets.publish_head(topic, len(payload), retain))
            self._put(payload)
            return True
        ident = self._next_ident()
        packet = packets.publish(topic, payload, qos, retain, ident)
        topic = payload = None  # the packet has them
        self._put(packet)
        waiting = self._waiting
        waiting[ident] = outcome = None
        until_ms = time.ticks_add(time.ticks_ms(), deadline_ms)
        try:
            while outcome is None and time.ticks_diff(until_ms, time.ticks_ms()) > 0:
                await asyncio.sleep_ms(_LOOK_MS)
                outcome = waiting[ident]
        finally:
            if waiting.pop(ident) is None and packet in self._packets:
                self._packets.remove(packet)
        return outcome is True

    def drop(self, reason, is_refused=False):
        """Give up the connection and return True, if there is one; `receive` opens the next.

        `is_refused`: later, because the memory is too short for it.

        Not for use within a callback.
        """
        if not self._connection.is_open() or self._drop_reason:
            return False
        self._drop_reason = LinkLost(reason, is_refused)
        if is_refused:
            self._connection.cause = NO_MEMORY
        self._receiver.cancel()
        self._close()
        return True

    async def receive(self):
        """Connect, deliver messages, connect again: for ever."""
        self._receiver = asyncio.current_task()
        timing = self._timing
        while True:
            if self._wait_network:
                await self._wait_network()
            reason, is_refused = (await self._run_connection()).args
            self.cause = self._connection.cause
            if reason != self.logged:
                self.logged = reason
                self._log("link-refused" if is_refused else "link-lost", reason)
            backoff = timing.after_refusal if is_refused else timing.after_loss
            await asyncio.sleep_ms(backoff.next_ms(timing.random_fraction()))

    async def _run_connection(self):
        """Run one connection as long as it lasts; return the LinkLost that ended it."""
        self._drop_reason = None
        self._attempt += 1
        try:
            await asyncio.wait_for_ms(self._open(), self._timing.connect_ms)
            while not self._drop_reason:
                self._act_on(await self._connection.next_packet())
        except LinkLost as lost:
            return lost
        except asyncio.TimeoutError:
            return LinkLost("no answer in %d ms" % self._timing.connect_ms, False)
        except OSError as error:
            return LinkLost(describe(error), False)
        except MemoryError:
            self._connection.cause = NO_MEMORY
            return LinkLost("short of memory", True)
        except asyncio.CancelledError:
            if not self._drop_reason:
                raise
        finally:
            self._close()
        return self._drop_reason

    async def _open(self):
        """Connect and subscribe; return once everything is subscribed."""
        connection = self._connection
        await connection.open(self._broker, self._timing.keepalive_s, self._will)
        await connection.write(packets.subscribe(self._filters, self._next_ident()))
        self._may_send = True
        while not self.is_up:
            self._act_on(await connection.next_packet())

    def _act_on(self, packet):
        """Act on one packet."""
        kind = packet.kind
        if kind == received.PUBLISH:
            self._owner.on_message(packet.topic, packet.payload, bool(packet.flags & 1))
            self._acknowledge(packet.ident)
        elif kind == received.DROPPED:
            self.dropped += 1
            self._acknowledge(packet.ident)
        elif kind == received.SUBACK and packet.ident == self._ident and not self.is_up:
            self._finish_subscribing(packet.payload)
        elif kind == received.PUBACK and self._waiting.get(packet.ident, True) is None:
            self._waiting[packet.ident] = True
        elif kind != received.PINGRESP:
            self.unexpected += 1

    def _acknowledge(self, ident):
        if ident:
            if len(self._packets) >= _MOST_PACKETS:
                raise LinkLost("the broker takes nothing", False)
            self._put(packets.puback(ident))

    def _finish_subscribing(self, codes):
        for index, name in enumerate(self._filters):
            if codes[index : index + 1] not in (b"\0", b"\1"):
                self._connection.cause = NO_LOGIN
                raise LinkLost("broker refused to subscribe " + name, True)
        self.is_up = True
        self.connects += 1
        self._up_at = time.ticks_ms()
        self.logged = None
        self.cause = 0
        self._log("link-up", "connection %d" % self.connects)
        self._owner.on_link(True)

    async def send(self):
        """Write what waits, one packet a write: for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            self._owner.on_progress()
            while self._may_send and self._packets:
                await self._write(self._packets.pop(0))

    async def ping(self):
        """Ping the broker now and then, and drop a connection on which nothing arrives: for ever."""
        while True:
            await asyncio.sleep_ms(self._ping_ms)
            self._work.set()
            if self._may_send:
                if self._connection.is_heard:
                    self._put(packets.PINGREQ)
                else:
                    self.drop("nothing heard for %d ms" % (2 * self._ping_ms))
                self._connection.is_heard = False

    async def _write(self, packet):
        """Write one whole packet, or drop its connection."""
        attempt = self._attempt
        reason = "the broker takes nothing"
        try:
            if not self._connection.begin_write(packet):
                await asyncio.wait_for_ms(self._connection.end_write(), self._ping_ms)
            reason = None
        except asyncio.TimeoutError:
            pass
        except OSError as error:
            reason = describe(error)
        finally:
            if reason and self._attempt == attempt:
                self.drop(reason)

    def _put(self, packet):
        self._packets.append(packet)
        self._work.set()

    def _next_ident(self):
        self._ident = self._ident % 65535 + 1
        return self._next_ident() if self._ident in self._waiting else self._ident

    def _close(self):
        """End the connection and everything that waited on it."""
        self._connection.close()
        self._may_send = False
        self._packets = []
        for ident in self._waiting:
            self._waiting[ident] = self._waiting[ident] or False
        if self.is_up:
            self.is_up = False
            lasted_ms = time.ticks_diff(time.ticks_ms(), self._up_at)
            if lasted_ms >= self._timing.steady_ms:
                self._timing.after_loss.reset()
            if lasted_ms >= _GOOD_MS:
                self._timing.after_refusal.reset()
            self._owner.on_link(False)
