"""The bridge's connection to the broker: a thin port, and its implementation with gmqtt. Does not read payloads.

Found in gmqtt 0.8: its own reconnect says clean session 0, so that the broker would keep commands for later; it
replays unacknowledged publishes; and without `optimistic_acknowledgement` it acknowledges a message only when the
callback was a coroutine function and has returned 0. Hence here: a new client with a clean session for every
connection, one task that reconnects, nothing replayed, and an acknowledgement after the receiver is through.
asyncio sets TCP_NODELAY on every socket by itself.
"""

import asyncio
import secrets
import ssl
from dataclasses import dataclass, field
from typing import Protocol

import gmqtt
import structlog
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTError
from gmqtt.storage import PersistentStorage

_CONNECT_TIMEOUT_S = 5
_FIRST_DELAY_S = 0.1
_MOST_DELAY_S = 5.0
_LAST_WORDS_TIMEOUT_S = 1
# gmqtt reconnects while `0 failures <= retries`, and -1 means for ever; less than that is never.
_NEVER_RECONNECT = {"reconnect_retries": -2}


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and how to log in; `ca_path` turns TLS on."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    keepalive_s: int = 15
    ca_path: str | None = None


@dataclass(frozen=True)
class Will:
    """What the broker publishes, retained, when the bridge is gone without a word."""

    topic: str
    payload: bytes


class LinkReceiver(Protocol):
    """Whom a link tells what happens."""

    def on_link(self, is_up: bool) -> None:
        """The link is up (connected and subscribed), or down."""

    async def on_message(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """A message came; it is acknowledged to the broker when this returns. Must not raise."""


class Link(Protocol):
    """A way to publish and to be told. Publishing while it is down does nothing and says so."""

    async def start(self, receiver: LinkReceiver) -> None:
        """Start connecting, and reconnect until stopped."""

    async def stop(self) -> None:
        """Deliver what was published, and leave."""

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Publish with QoS 1; False when the link is down."""


class GmqttLink:
    """A link to a broker by gmqtt."""

    def __init__(self, address: BrokerAddress, topic_filter: str, will: Will) -> None:
        self._address = address
        self._filter = topic_filter
        self._will = will
        self._receiver: LinkReceiver | None = None
        self._task: asyncio.Task | None = None
        self._client: gmqtt.Client | None = None
        self._unacknowledged = PersistentStorage()
        self._is_told_away = False

    async def start(self, receiver: LinkReceiver) -> None:
        """Start connecting, and reconnect until stopped."""
        self._receiver = receiver
        self._task = asyncio.create_task(self._keep_connected(), name="mqtt link")

    async def stop(self) -> None:
        """Deliver what was published, and leave."""
        if self._client is not None:
            try:
                await asyncio.wait_for(self._unacknowledged.wait_empty(), _LAST_WORDS_TIMEOUT_S)
            except TimeoutError:
                structlog.get_logger().warning("broker-did-not-acknowledge-the-last-messages")
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Publish with QoS 1; False when the link is down."""
        if self._client is None:
            return False
        self._client.publish(topic, payload, qos=1, retain=is_retained)
        return True

    async def _keep_connected(self) -> None:
        delay_s = _FIRST_DELAY_S
        while True:
            try:
                await self._connect_once()
                delay_s = _FIRST_DELAY_S
            except (OSError, MQTTError, TimeoutError) as error:
                self._tell_away(error)
            await asyncio.sleep(delay_s * (0.5 + secrets.randbelow(1000) / 1000))
            delay_s = min(delay_s * 2, _MOST_DELAY_S)

    async def _connect_once(self) -> None:
        """Connect, subscribe, and return when the connection is lost."""
        self._unacknowledged = PersistentStorage()
        client = _make_client(self._address, self._will, self._unacknowledged)
        subscribed, lost = asyncio.Event(), asyncio.Event()
        client.on_connect = lambda client, *_: client.subscribe(self._filter, qos=1)
        client.on_subscribe = lambda _, mid, granted, properties: granted[0] < 0x80 and subscribed.set()
        client.on_disconnect = lambda *_: lost.set()
        client.on_message = self._take
        try:
            await asyncio.wait_for(_open(client, self._address, subscribed), _CONNECT_TIMEOUT_S)
            self._client = client
            self._tell_back()
            self._receiver.on_link(True)
            await lost.wait()
            self._tell_away(ConnectionError("connection lost"))
        finally:
            if self._client is not None:
                self._client = None
                self._receiver.on_link(False)
            if client._connection is not None:
                await client.disconnect()

    async def _take(self, _client, topic: str, payload: bytes, _qos: int, properties: dict) -> int:
        await self._receiver.on_message(topic, payload, bool(properties["retain"]))
        return 0

    def _tell_away(self, error: Exception) -> None:
        if not self._is_told_away:
            self._is_told_away = True
            where = f"{self._address.host}:{self._address.port}"
            structlog.get_logger().warning("broker-away", broker=where, reason=describe(error))

    def _tell_back(self) -> None:
        self._is_told_away = False
        structlog.get_logger().info("broker-there", broker=f"{self._address.host}:{self._address.port}")


async def try_broker(address: BrokerAddress, topic_filter: str, will: Will) -> None:
    """Log in and subscribe once, and leave; raises OSError, MQTTError or TimeoutError when that fails."""
    client = _make_client(address, will, PersistentStorage())
    subscribed = asyncio.Event()
    client.on_connect = lambda client, *_: client.subscribe(topic_filter, qos=1)
    client.on_subscribe = lambda _, mid, granted, properties: granted[0] < 0x80 and subscribed.set()
    try:
        await asyncio.wait_for(_open(client, address, subscribed), _CONNECT_TIMEOUT_S)
    finally:
        if client._connection is not None:
            await client.disconnect()


def describe(error: Exception) -> str:
    """Say in a few words why the broker could not be used."""
    if isinstance(error, TimeoutError):
        return "it does not answer, or refuses the subscription"
    if isinstance(error, MQTTError):
        return str(error).partition("(")[2].rstrip(")").lower() or str(error)
    return getattr(error, "strerror", None) or str(error)


def _make_client(address: BrokerAddress, will: Will, unacknowledged: PersistentStorage) -> gmqtt.Client:
    client = gmqtt.Client(
        f"bridge-{secrets.token_hex(8)}",
        clean_session=True,
        optimistic_acknowledgement=False,
        will_message=gmqtt.Message(will.topic, will.payload, qos=1, retain=True),
        persistent_storage=unacknowledged,
    )
    client.set_config(_NEVER_RECONNECT)
    client.set_auth_credentials(address.username, address.password)
    return client


async def _open(client: gmqtt.Client, address: BrokerAddress, subscribed: asyncio.Event) -> None:
    tls = ssl.create_default_context(cafile=address.ca_path) if address.ca_path else False
    await client.connect(address.host, address.port, ssl=tls, keepalive=address.keepalive_s, version=MQTTv311)
    await subscribed.wait()
