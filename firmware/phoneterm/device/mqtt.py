"""An MQTT 3.1.1 client for asyncio: one connection, kept up by one task, and no promise it cannot keep.

Does not know what messages mean, keep anything for later, or touch Wi-Fi. The application starts `receive()`, `send()`
and `ping()` as tasks, once each: `receive` is the only one that opens connections, `send` the only one that writes
once the subscription went out, so cancelling a publish never leaves half a packet behind.
Times are ms. A publish has a definite outcome: True, or False when not connected or not acknowledged in time.
A connection on which nothing was heard for two ping intervals (half of the keepalive) is given up.
A message that the broker sends twice is handed over twice, as QoS 1 allows. Sessions are clean.
"""

import asyncio
import time
from collections import namedtuple

from phoneterm.device import mqtt_decoder as received
from phoneterm.device import mqtt_packets as packets
from phoneterm.device.mqtt_connection import Connection, LinkLost, describe
from phoneterm.device.mqtt_outbox import Outbox, Outcome

# connect_ms: from the first SYN to the subscription. steady_ms: a connection that lasted so long resets the back-off.
# after_loss, after_refusal: core.backoff. random_fraction: a function, 0 to below 1.
Timing = namedtuple("Timing", "keepalive_s connect_ms steady_ms after_loss after_refusal random_fraction")


class MqttClient:
    """The client. `owner` has on_message(topic, payload, is_retained), on_link(is_up) and on_progress().

    on_progress is called whenever `send` comes round: at least once a ping interval, a quarter of the keepalive.
    """

    def __init__(self, broker, filters, will, timing, owner, log, wait_network=None, explain=describe):
        """Take log(event, detail), a coroutine function that returns once there is a network, and explain(OSError)."""
        self._broker = broker
        self._filters = filters
        self._will = will
        self._timing = timing
        self._owner = owner
        self._log = log
        self._wait_network = wait_network
        self._explain = explain
        self._ping_ms = timing.keepalive_s * 1000 // 4
        self._connection = Connection()
        self._outbox = Outbox()
        self._may_send = False
        self._attempt = 0
        self._subscribe_ident = 0
        self._receiver = None
        self._drop_reason = None
        self._logged = None
        self._up_at = 0
        self.is_up = False  # connected, and every subscription acknowledged
        self.connects = 0
        self.dropped = 0  # messages over the limit
        self.unexpected = 0  # packets that nobody waited for

    async def publish(self, topic, payload, qos=0, retain=False, deadline_ms=3000):
        """Send now; say whether it was acknowledged (QoS 1) or handed to the network (QoS 0) in time."""
        outbox = self._outbox
        if not self.is_up or outbox.is_full():
            return False
        ident = outbox.next_ident() if qos else 0
        packet = packets.publish(topic, payload, qos, retain, ident)
        outcome = Outcome()
        if qos:
            outbox.expect(ident, outcome)
        outbox.add(packet, None if qos else outcome)
        try:
            await asyncio.wait_for_ms(outcome.done.wait(), deadline_ms)
        except asyncio.TimeoutError:
            pass
        finally:
            if not outcome.done.is_set():
                outbox.forget(packet, ident)
        return outcome.is_good

    def drop(self, reason):
        """Give the connection up, if there is one; `receive` makes the next. Not for use within a callback."""
        if self._connection.is_open() and self._drop_reason is None:
            self._drop_reason = reason
            self._receiver.cancel()
            self._close()

    async def receive(self):
        """Connect, hand messages over, connect again: for ever."""
        self._receiver = asyncio.current_task()
        while True:
            if self._wait_network:
                await self._wait_network()
            lost = await self._run_connection()
            await asyncio.sleep_ms(self._pause_ms(*lost.args))

    def _pause_ms(self, reason, is_refused):
        """Log why the connection ended, once for the same reason in a row; return how long to wait."""
        timing = self._timing
        if reason != self._logged:
            self._logged = reason
            self._log("link-refused" if is_refused else "link-lost", reason)
        backoff = timing.after_refusal if is_refused else timing.after_loss
        return backoff.next_ms(timing.random_fraction())

    async def _run_connection(self):
        """Keep one connection as long as it lasts; return the LinkLost that ended it."""
        self._drop_reason = None
        self._attempt += 1
        try:
            await asyncio.wait_for_ms(self._open(), self._timing.connect_ms)
            while self._drop_reason is None:
                self._take(await self._connection.next_packet())
        except LinkLost as lost:
            return lost
        except asyncio.TimeoutError:
            return LinkLost("no answer in %d ms" % self._timing.connect_ms, False)
        except OSError as error:
            return LinkLost(self._explain(error), False)
        except asyncio.CancelledError:
            if self._drop_reason is None:
                raise
        finally:
            self._close()
        return LinkLost(self._drop_reason, False)

    async def _open(self):
        """Connect and subscribe; return once everything is subscribed."""
        connection = self._connection
        if await connection.open(self._broker, self._timing.keepalive_s, self._will):
            self._log("link-session", "the broker kept a session that was to be clean")
        self._subscribe_ident = self._outbox.next_ident()
        await connection.write(packets.subscribe(self._filters, self._subscribe_ident))
        self._may_send = True
        while not self.is_up:
            self._take(await connection.next_packet())

    def _take(self, packet):
        """Act on one packet."""
        kind = packet.kind
        if kind == received.PUBLISH:
            self._owner.on_message(packet.topic, packet.payload, bool(packet.flags & received.RETAIN))
            self._acknowledge(packet.ident)
        elif kind == received.DROPPED:
            self.dropped += 1
            self._log("message-dropped", "it was too long")
            self._acknowledge(packet.ident)
        elif kind == received.SUBACK and packet.ident == self._subscribe_ident:
            self._take_suback(packet.payload)
        elif kind == received.PUBACK and self._outbox.acknowledge(packet.ident):
            return
        elif kind != received.PINGRESP:
            self.unexpected += 1

    def _acknowledge(self, ident):
        if ident:
            if self._outbox.is_full():
                raise LinkLost("the broker takes nothing", False)
            self._outbox.add(packets.puback(ident))

    def _take_suback(self, codes):
        self._subscribe_ident = 0
        for index, name in enumerate(self._filters):
            if index >= len(codes) or codes[index] == received.SUBSCRIPTION_REFUSED:
                raise LinkLost("broker refused to subscribe " + name, True)
        self.is_up = True
        self.connects += 1
        self._up_at = time.ticks_ms()
        self._logged = None
        self._timing.after_refusal.reset()
        self._log("link-up", "connection %d" % self.connects)
        self._owner.on_link(True)

    async def send(self):
        """Write what waits, one packet a write: for ever."""
        outbox = self._outbox
        while True:
            await outbox.work.wait()
            outbox.work.clear()
            self._owner.on_progress()
            while self._may_send and outbox.has_packet():
                await self._write(*outbox.take_first())

    async def ping(self):
        """Ask the broker now and then whether it is there, and drop a connection on which nothing comes: for ever."""
        connection, outbox = self._connection, self._outbox
        while True:
            await asyncio.sleep_ms(self._ping_ms)
            if self._may_send and not connection.is_heard:
                self.drop("nothing heard for %d ms" % (2 * self._ping_ms))
            elif self._may_send:
                connection.is_heard = False
                outbox.add(packets.PINGREQ)
            outbox.work.set()

    async def _write(self, packet, outcome):
        """Write one packet whole, or drop the connection it was meant for."""
        attempt = self._attempt
        reason = "a write was cut short"
        try:
            if not self._connection.begin_write(packet):
                await asyncio.wait_for_ms(self._connection.end_write(), self._ping_ms)
            reason = None
        except asyncio.TimeoutError:
            reason = "the broker takes nothing"
        except OSError as error:
            reason = self._explain(error)
        finally:
            if outcome:
                outcome.settle(reason is None)
            if reason and self._attempt == attempt:
                self.drop(reason)

    def _close(self):
        """End the connection and settle everything that waited on it."""
        self._connection.close()
        self._may_send = False
        self._outbox.settle_all()
        if self.is_up:
            self.is_up = False
            if time.ticks_diff(time.ticks_ms(), self._up_at) >= self._timing.steady_ms:
                self._timing.after_loss.reset()
            self._owner.on_link(False)
