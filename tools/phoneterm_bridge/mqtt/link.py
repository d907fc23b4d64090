"""The bridge's link to the broker: a thin port, and its implementation, which reconnects. Does not read payloads.

While the link is down nothing is published and nothing is kept for later; the log has one line when the broker goes
away and one when it is back. A broker may notice late that an earlier connection of ours is gone. It then publishes our
will, retained, although we are here; in that case the receiver is told once more that the link is up.
"""

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from phoneterm_bridge.mqtt.connection import BrokerAddress, MqttConnection, NotConnected, Will
from phoneterm_bridge.mqtt.listening import Listening

_FIRST_DELAY_S = 0.1
_MOST_DELAY_S = 5.0


class LinkReceiver(Protocol):
    """The receiver of a link's events."""

    def on_link(self, is_up: bool) -> None:
        """The link is up (connected and subscribed; our state must be published again), or down."""

    async def on_message(self, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]) -> None:
        """A message came; calling `acknowledge`, or returning, acknowledges it to the broker. Must not raise."""

    def on_batch(self) -> None:
        """All messages that came together have begun to be handled, and none of what they cause has been done yet."""


class Link(Protocol):
    """A way to publish and to receive. Publishing while it is down does nothing and returns False."""

    async def start(self, receiver: LinkReceiver) -> None:
        """Start connecting, and reconnect until stopped."""

    async def stop(self) -> None:
        """Deliver what was published, and leave."""

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Publish with QoS 1; False when the link is down."""

    def reconnect(self) -> None:
        """Give up the present connection, if there is one: it is up, but does not bring what it should."""


class MqttLink:
    """A link that keeps one MqttConnection up at a time, to where `find_address` says the broker is.

    `listening` says what it subscribes to.
    """

    def __init__(
        self, find_address: Callable[[], BrokerAddress], listening: Listening, will: Will,
        takes: Callable[[str, int], bool] | None = None,
    ) -> None:  # fmt: skip
        """takes: says which messages are heard (topic, octets of the payload); all of them if None."""
        self._find_address = find_address
        self._listening = listening
        self._takes = takes
        self._will = will
        self._task: asyncio.Task | None = None
        self._connection: MqttConnection | None = None
        self._is_told_away = False
        self._is_leaving = False

    async def start(self, receiver: LinkReceiver) -> None:
        """Start connecting, and reconnect until stopped."""
        self._task = asyncio.create_task(self._keep_connected(receiver), name="mqtt link")

    async def stop(self) -> None:
        """Deliver what was published, and leave."""
        self._is_leaving = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Publish with QoS 1; False when the link is down."""
        return self._connection is not None and self._connection.publish(topic, payload, is_retained)

    def reconnect(self) -> None:
        """Give up the present connection, if there is one: it is up, but does not bring what it should."""
        if self._connection is not None:
            self._connection.give_up()

    async def _keep_connected(self, receiver: LinkReceiver) -> None:
        delay_s = _FIRST_DELAY_S
        while True:
            pass_on = partial(self._pass_on, receiver)
            connection = MqttConnection(
                self._find_address(),
                self._listening.filters(),
                self._will,
                pass_on,
                on_batch=receiver.on_batch,
                takes=self._takes,
            )
            try:
                await connection.open()
                delay_s = _FIRST_DELAY_S
                await self._serve(connection, receiver)
                self._tell_away(connection.why_lost)
            except NotConnected as error:
                self._tell_away(str(error))
            except Exception as error:  # a mistake in a library or of our own: the link must come back all the same
                structlog.get_logger().exception("link-failed", error=type(error).__name__)
            finally:
                await connection.close()
            await asyncio.sleep(delay_s * (0.5 + secrets.randbelow(1000) / 1000))
            delay_s = min(delay_s * 2, _MOST_DELAY_S)

    async def _pass_on(
        self, receiver: LinkReceiver, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]
    ) -> None:
        if topic != self._will.topic:
            await receiver.on_message(topic, payload, is_retained, acknowledge)
        elif payload == self._will.payload and not (is_retained or self._is_leaving) and self._connection:
            structlog.get_logger().warning("said-to-be-gone", broker=self._where)
            receiver.on_link(True)

    async def _serve(self, connection: MqttConnection, receiver: LinkReceiver) -> None:
        """Be up until the connection is lost."""
        self._connection = connection
        self._listening.begin(connection.change_subscription)
        self._is_told_away = False
        structlog.get_logger().info("broker-there", broker=self._where)
        receiver.on_link(True)
        try:
            await connection.wait_lost()
        finally:
            self._connection = None
            self._listening.end()
            receiver.on_link(False)

    def _tell_away(self, reason: str) -> None:
        if not self._is_told_away:
            self._is_told_away = True
            structlog.get_logger().warning("broker-away", broker=self._where, reason=reason)

    @property
    def _where(self) -> str:
        address = self._find_address()
        return f"{address.host}:{address.port}"
