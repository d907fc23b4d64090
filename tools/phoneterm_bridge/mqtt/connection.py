"""One connection to an MQTT broker with gmqtt, from login to loss. Does not reconnect and does not read payloads.

Found in gmqtt 0.8: its own reconnect says clean session 0, so that the broker would keep commands for later; it
replays unacknowledged publishes; without `optimistic_acknowledgement` it acknowledges a message only when the
callback was a coroutine function and has returned 0; and after a lost heartbeat it waits for ever for a peer that
takes no data. Hence: a new client with a clean session for every connection, and every wait has an end. asyncio sets
TCP_NODELAY on every socket by itself.
"""

import asyncio
import os
import secrets
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTError
from gmqtt.storage import PersistentStorage

from phoneterm_bridge.problem import SetupProblem

_CONNECT_TIMEOUT_S = 5
_GOODBYE_TIMEOUT_S = 1
_REFUSED = 0x80
_ABOUT_CERTIFICATES = "; perhaps it asks for another certificate, see broker.client_certificate_path"
# gmqtt reconnects while `0 failures <= retries`, and -1 means for ever; less than that is never.
_NEVER_RECONNECT = {"reconnect_retries": -2}

OnMessage = Callable[[str, bytes, bool], Awaitable[None]]  # topic, payload, is retained


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and how to log in; `make_tls` makes the context of a connection with TLS anew each time."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    keepalive_s: int = 15
    make_tls: Callable[[], ssl.SSLContext | None] = field(default=lambda: None, repr=False)


@dataclass(frozen=True)
class Will:
    """What the broker publishes, retained, when the bridge is gone without a word."""

    topic: str
    payload: bytes


class NotConnected(Exception):
    """The broker cannot be used; says why in a few words."""


class MqttConnection:
    """One connection, good for one `open`."""

    def __init__(self, address: BrokerAddress, topic_filter: str, will: Will, on_message: OnMessage) -> None:
        """Take what to subscribe to; the topic of the will is subscribed to as well."""
        self._address = address
        self._filters = (topic_filter, will.topic)
        self._on_message = on_message
        self._unacknowledged = PersistentStorage()
        self._subscribed = asyncio.Event()
        self._lost = asyncio.Event()
        self._is_refused = False
        self._client = gmqtt.Client(
            f"bridge-{secrets.token_hex(8)}",
            clean_session=True,
            optimistic_acknowledgement=False,
            will_message=gmqtt.Message(will.topic, will.payload, qos=1, retain=True),
            persistent_storage=self._unacknowledged,
        )
        self._client.set_config(_NEVER_RECONNECT)
        self._client.set_auth_credentials(address.username, address.password)
        self._client.on_connect = self._ask_for_messages
        self._client.on_subscribe = self._note_subscription
        self._client.on_disconnect = lambda *_: self._lost.set()
        self._client.on_message = self._take

    async def open(self) -> None:
        """Log in and subscribe; NotConnected when that fails."""
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await self._log_in_unless_lost()
        except SetupProblem as problem:  # a file of the TLS settings that was there at the start
            raise NotConnected(str(problem).rstrip(".")) from None
        except TimeoutError:
            raise NotConnected("it does not answer") from None
        except MQTTError as error:
            raise NotConnected(str(error).partition("(")[2].rstrip(")").lower() or str(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise NotConnected(f"its certificate is not accepted: {error.verify_message.lower()}") from None
        except ssl.SSLError as error:
            reason = (error.reason or "it ended").lower().replace("_", " ")
            raise NotConnected(f"there is no TLS with it: {reason}") from None
        except OSError as error:
            number = error.errno or 0  # those of the name resolver are negative and have their own texts
            raise NotConnected((os.strerror(number) if number > 0 else str(error) or "it hangs up").lower()) from None
        except ValueError as error:  # a host name that cannot be one
            raise NotConnected(str(error)) from None
        if self._is_refused:
            raise NotConnected("it refuses the bridge's subscription")

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Publish with QoS 1; False when too much is unacknowledged already."""
        try:
            self._client.publish(topic, payload, qos=1, retain=is_retained)
        except OverflowError:  # gmqtt has no packet id left: the broker has stopped acknowledging
            return False
        return True

    async def wait_lost(self) -> None:
        """Return when the connection is lost."""
        while not self._lost.is_set() and self._client.is_connected:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), self._address.keepalive_s)

    def give_up(self) -> None:
        """Count the connection as lost."""
        self._lost.set()

    async def close(self) -> None:
        """Deliver what was published, within bounds, and leave."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_TIMEOUT_S):
                if not self._lost.is_set():
                    await self._unacknowledged.wait_empty()
        with suppress(TimeoutError, OSError):
            await asyncio.wait_for(self._client.disconnect(), _GOODBYE_TIMEOUT_S)

    async def _log_in_unless_lost(self) -> None:
        """Log in and subscribe; with TLS 1.3 a broker that wants a certificate says so only after the handshake."""
        login, loss = asyncio.create_task(self._log_in()), asyncio.create_task(self._lost.wait())
        try:
            await asyncio.wait((login, loss), return_when=asyncio.FIRST_COMPLETED)
            if not login.done():
                raise NotConnected("it hangs up" + (_ABOUT_CERTIFICATES if self._address.make_tls() else ""))
            login.result()
        finally:
            for task in (login, loss):
                task.cancel()
            await asyncio.gather(login, loss, return_exceptions=True)

    async def _log_in(self) -> None:
        address = self._address
        tls = address.make_tls() or False
        await self._client.connect(address.host, address.port, ssl=tls, keepalive=address.keepalive_s, version=MQTTv311)
        await self._subscribed.wait()

    def _ask_for_messages(self, *_: Any) -> None:
        self._client.subscribe([gmqtt.Subscription(name, qos=1) for name in self._filters])

    def _note_subscription(self, _client: Any, _mid: int, granted: tuple[int, ...], _properties: Any) -> None:
        self._is_refused = max(granted) >= _REFUSED
        self._subscribed.set()

    async def _take(self, _client: Any, topic: str, payload: bytes, _qos: int, properties: dict) -> int:
        await self._on_message(topic, payload, bool(properties["retain"]))
        return 0
