"""One socket that speaks MQTT 3.1.1 as a client, from login to loss. Does not reconnect and never sends anything twice.

Everything that is written during one turn of the event loop leaves in one write. A message is acknowledged when its
receiver says so or has returned. Every wait has an end, whatever the peer does. The connection is cut if the peer is
silent for one and a half keepalives, if it leaves one message unacknowledged for that long while it acknowledges
others (the message is then lost for good), or if it breaks the protocol; `trouble` says why.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, cast

import structlog

from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.mqtt.decoder import Decoder
from phoneterm_bridge.mqtt.packets import CONNACK, MOST_PACKET_ID, PINGRESP, PUBACK, PUBLISH, REFUSED, SUBACK
from phoneterm_bridge.mqtt.upkeep import Upkeep

GOODBYE_S = 1
MOST_UNACKNOWLEDGED = 60000  # 10,000 terminals may say hello at once, and each is sent three messages
MOST_WAITING_BYTES = 16 * 1024 * 1024  # that the peer has not read
_UNREAD_BYTES = 64 * 1024
_LOGIN = 0  # in the place of a packet id: no packet has this one
_REFUSALS = {
    1: "unacceptable protocol version", 2: "identifier rejected", 3: "broker unavailable",
    4: "bad user name or password", 5: "not authorised",
}  # fmt: skip

# Topic, payload, is retained, and a function that acknowledges the message before the receiver returns.
OnMessage = Callable[[str, bytes, bool, Callable[[], None]], Coroutine[Any, Any, None]]
OnBatch = Callable[[], None]
Takes = Callable[[str, int], bool]  # topic, octets of the payload; whether the message is heard


class LoginRefused(Exception):
    """The broker does not accept this login; the text is the broker's reason, and `code` its number."""

    def __init__(self, code: int) -> None:
        """Keep the code, and say it in words."""
        self.code = code
        super().__init__(f"connection refused: {_REFUSALS.get(code, 'unknown error')}")


class HungUp(Exception):
    """The connection ended before there was an answer; the text says why, as far as it is known."""


class MqttProtocol(asyncio.Protocol):
    """One connection, good for one `open`. `lost` is set when it has ended or was given up."""

    def __init__(
        self, login: bytes, keepalive_s: float, on_message: OnMessage, most_waiting_bytes: int = MOST_WAITING_BYTES,
        on_batch: OnBatch | None = None, takes: Takes | None = None,
    ) -> None:  # fmt: skip
        """login: a CONNECT packet with the same keepalive. `on_batch`: see `LinkReceiver`. `takes`: hears all if None.

        A message that is not heard is acknowledged, so that the broker does not keep it.
        """
        self._takes = takes
        self._most_waiting_bytes = most_waiting_bytes
        self.lost = asyncio.Event()
        self.trouble = ""
        self._login = login
        self._on_message = on_message
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._upkeep = Upkeep(keepalive_s, self._ping, self._cut, self._owed_since)
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._is_let_in = False
        self._is_full = False
        self._waiting: list[bytes] = []  # to be written at the end of this turn of the event loop
        self._unacknowledged: dict[int, int] = {}  # packet id -> the part of a keepalive in which it was sent, in order
        self._last_id = 0
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._settled: asyncio.Future[None] | None = None  # everything is acknowledged, or the connection is lost
        self._ended = asyncio.Event()
        self._hearing: dict[int, asyncio.Task[None]] = {}
        self._heard = 0

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Connect and log in; OSError (TLS too), HungUp or LoginRefused when that fails. May wait for ever.

        If it fails or is cancelled, nothing stays open.
        """
        transport, _ = await self._loop.create_connection(lambda: self, host, port, ssl=tls)
        # What waits in the socket waits in front of everything else, and a flood is noticed only after it.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNREAD_BYTES)
        try:
            code = (await self._ask(_LOGIN, self._login))[0]
            if code:
                raise LoginRefused(code)
        except BaseException:
            if self._transport is not None:
                self._transport.abort()
            raise

    @property
    def is_owed(self) -> bool:
        """Say whether the broker has not acknowledged something that was published."""
        return bool(self._unacknowledged)

    async def subscribe(self, *filters: str) -> bool:
        """Subscribe with QoS 1, and return whether all filters were granted; may raise HungUp. May wait for ever."""
        return all(await asyncio.gather(*map(self._subscribe, packets.split_filters(filters))))

    def change_subscription(self, is_more: bool, filters: Iterable[str]) -> None:
        """Subscribe to more filters, or to fewer, without waiting; a refusal ends the connection."""
        if self.lost.is_set():
            return
        make = packets.subscribe if is_more else packets.unsubscribe
        for part in packets.split_filters(filters):
            self._write(make(self._take_id(), *part))
        self._flush()  # whoever must not be heard would fill the time until the end of the turn

    def publish(self, topic: str, payload: bytes, is_retained: bool = False) -> bool:
        """Publish with QoS 1; False when the connection is lost, or the peer reads or acknowledges too little."""
        if self._is_full or not self._is_let_in or len(self._unacknowledged) >= MOST_UNACKNOWLEDGED:
            return False
        if self.lost.is_set():
            return False
        self._write(packets.publish(topic, payload, self._take_id(), is_retained))
        return True

    async def close(self) -> None:
        """Deliver what was published, then disconnect, with at most GOODBYE_S for each."""
        if self._transport is None:
            return
        if self._unacknowledged and not self.lost.is_set():
            self._settled = self._loop.create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._settled
        if self._is_let_in:
            self._write(packets.DISCONNECT)
            self._flush()
        self.lost.set()
        self._transport.close()
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._ended.wait()
        except TimeoutError:
            self._transport.abort()
        finally:
            self._upkeep.stop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(self._most_waiting_bytes)
        self._upkeep.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """End every wait with an error."""
        self.lost.set()
        self._ended.set()
        self._upkeep.stop()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(HungUp(self.trouble or "it hangs up"))
        self._settle()

    def eof_received(self) -> None:
        """The peer has closed the connection, and reads nothing more."""
        if self._transport is not None:
            self._loop.call_soon(self._transport.abort)

    def pause_writing(self) -> None:
        """The peer does not read: until it does, nothing that would need an answer is read from it."""
        self._is_full = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._is_full = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Take incoming bytes."""
        self._upkeep.silent_parts = 0
        heard_before = self._heard
        for kind, number, topic, payload, is_retained in self._decoder.feed(data):
            if kind == PUBACK:
                self._unacknowledged.pop(number, None)
            elif kind == PUBLISH and self._takes is not None and not self._takes(topic, len(payload)):
                if number:
                    self._write(packets.acknowledge(number))
            elif kind == PUBLISH and self._is_let_in:
                self._heard += 1
                hearing = self._hear(self._heard, number, topic, payload, is_retained)
                self._hearing[self._heard] = self._loop.create_task(hearing)
            else:
                self._take_answer(kind, number, payload)
        if self._heard != heard_before and self._on_batch is not None:
            self._loop.call_soon(self._on_batch)  # behind the tasks of this batch
        if self._decoder.trouble:
            self._cut(f"it sends {self._decoder.trouble}")
        if self._settled is not None and not self._unacknowledged:
            self._settle()

    async def _subscribe(self, filters: list[str]) -> bool:
        """Subscribe by one packet, and return whether all of its filters were granted."""
        packet_id = self._take_id()
        try:
            granted = await self._ask(packet_id, packets.subscribe(packet_id, *filters))
        finally:
            self._unacknowledged.pop(packet_id, None)
        return len(granted) == len(filters) and max(granted) < REFUSED

    async def _hear(self, key: int, packet_id: int, topic: str, payload: bytes, is_retained: bool) -> None:
        is_owed = packet_id != 0

        def acknowledge() -> None:
            nonlocal is_owed
            if is_owed:
                is_owed = False
                self._write(packets.acknowledge(packet_id))

        try:
            await self._on_message(topic, payload, is_retained, acknowledge)
        except Exception as error:  # a mistake of our own: the message is not acknowledged
            structlog.get_logger().exception("message-failed", error=type(error).__name__)
        else:
            acknowledge()
        finally:
            del self._hearing[key]

    def _take_answer(self, kind: int, number: int, payload: bytes) -> None:
        if kind == PINGRESP and self._is_let_in:
            return
        if (kind == CONNACK) is self._is_let_in:
            self._cut("it sends packets out of order")
            return
        if kind == CONNACK:
            self._is_let_in = number == 0
            number, payload = _LOGIN, bytes((number,))
        answer = self._answers.get(number)
        if answer is not None and not answer.done():
            answer.set_result(payload)
        elif answer is None:
            self._unacknowledged.pop(number, None)
            if kind == SUBACK and max(payload) >= REFUSED:
                self._cut("it refuses a subscription of the bridge")

    async def _ask(self, packet_id: int, packet: bytes) -> bytes:
        """Write a packet and return the content of its answer."""
        if self._ended.is_set():
            raise HungUp(self.trouble or "it hangs up")
        self._answers[packet_id] = self._loop.create_future()
        try:
            self._write(packet)
            return await self._answers[packet_id]
        finally:
            del self._answers[packet_id]

    def _take_id(self) -> int:
        """Reserve and return a packet id that is not in use."""
        while True:
            self._last_id = self._last_id % MOST_PACKET_ID + 1
            if self._last_id not in self._unacknowledged:
                self._unacknowledged[self._last_id] = self._upkeep.part
                return self._last_id

    def _write(self, packet: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(packet)

    def _flush(self) -> None:
        if self._waiting and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._waiting))
            self._upkeep.quiet_parts = 0
        self._waiting.clear()

    def _owed_since(self) -> int:
        """Return the part in which the oldest unacknowledged packet was written; the present one if there is none."""
        return next(iter(self._unacknowledged.values()), self._upkeep.part)

    def _ping(self) -> None:
        self._write(packets.PING)

    def _cut(self, trouble: str) -> None:
        """End the connection without DISCONNECT, so that the broker publishes the will."""
        if self._transport is not None and not self._ended.is_set():
            self.trouble = self.trouble or trouble
            self.lost.set()
            self._transport.abort()

    def _settle(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
