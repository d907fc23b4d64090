"""The bridge's connection to an MQTT broker, from login to loss. Does not reconnect and does not read payloads.

Every connection is a new client with a clean session, so that no broker keeps commands for later, and nothing that was
published is ever sent again. asyncio sets TCP_NODELAY on every socket by itself.
"""

import asyncio
import os
import secrets
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from phoneterm_bridge.mqtt import broker_limits, packets
from phoneterm_bridge.mqtt.packets import Will
from phoneterm_bridge.mqtt.protocol import (
    MOST_WAITING_BYTES,
    HungUp,
    LoginRefused,
    MqttProtocol,
    OnBatch,
    OnMessage,
    Takes,
)  # fmt: skip
from phoneterm_bridge.settings.problem import SetupProblem

_ABOUT_CERTIFICATES = "; perhaps it asks for another certificate, see broker.client_certificate_path"


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and how to log in; `make_tls` makes a new TLS context for each connection."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    keepalive_s: int = 15
    make_tls: Callable[[], ssl.SSLContext | None] = field(default=lambda: None, repr=False)


@dataclass(frozen=True)
class Limits:
    """connect_s: the time for logging in and subscribing. most_waiting_bytes: how much the peer may leave unread."""

    connect_s: float = 5.0
    most_waiting_bytes: int = MOST_WAITING_BYTES


USUAL_LIMITS = Limits()


class NotConnected(Exception):
    """The broker cannot be used; says why in a few words."""


class MqttConnection:
    """One connection, good for one `open`."""

    def __init__(
        self, address: BrokerAddress, filters: Sequence[str], will: Will, on_message: OnMessage,
        limits: Limits = USUAL_LIMITS, on_batch: OnBatch | None = None, takes: Takes | None = None,
    ) -> None:  # fmt: skip
        """Take what to subscribe to; the topic of the will is subscribed to as well. `on_batch`: see `LinkReceiver`.

        takes: says which messages are heard; all of them if None.
        """
        self._connect_s = limits.connect_s
        self._address = address
        self._filters: tuple[str, ...] = (*filters, will.topic)
        name = f"bridge-{secrets.token_hex(8)}"
        login = packets.connect(name, address.username, address.password, address.keepalive_s, will)
        self._protocol = MqttProtocol(
            login, address.keepalive_s, on_message, limits.most_waiting_bytes, on_batch, takes
        )

    async def open(self) -> None:
        """Log in and subscribe; NotConnected when that fails."""
        try:
            async with asyncio.timeout(self._connect_s):
                is_granted = await self._log_in()
        except SetupProblem as problem:  # a file of the TLS settings that was there at the start
            raise NotConnected(str(problem).rstrip(".")) from None
        except TimeoutError:
            raise NotConnected("it does not answer") from None
        except LoginRefused as error:
            hint = broker_limits.explain_refusal(error.code, self._address.keepalive_s)
            raise NotConnected(f"{error}{hint}") from None
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
        if not is_granted:
            raise NotConnected("it refuses the bridge's subscription")

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Publish with QoS 1; False when too much is unacknowledged or unread, or the connection is lost."""
        return self._protocol.publish(topic, payload, is_retained)

    def change_subscription(self, is_more: bool, filters: Iterable[str]) -> None:
        """Subscribe to more filters, or to fewer, without waiting; a refusal ends the connection."""
        self._protocol.change_subscription(is_more, filters)

    async def wait_lost(self) -> None:
        """Wait until the connection is lost."""
        await self._protocol.lost.wait()
        if self._protocol.trouble:
            where = f"{self._address.host}:{self._address.port}"
            structlog.get_logger().warning("broker-cut-off", broker=where, why=self._protocol.trouble)

    @property
    def why_lost(self) -> str:
        """Why the connection was lost, as far as it is known, in a few words."""
        is_limit = self._protocol.is_owed and not self._protocol.trouble
        return "the connection was lost" + (broker_limits.LOSING if is_limit else "")

    def give_up(self) -> None:
        """Treat the connection as lost."""
        self._protocol.lost.set()

    async def close(self) -> None:
        """Deliver what was published, within a time limit, and disconnect."""
        await self._protocol.close()

    async def _log_in(self) -> bool:
        """Log in and subscribe; with TLS 1.3 a broker asks for a certificate only after the handshake."""
        tls, is_let_in = self._address.make_tls(), False
        try:
            await self._protocol.open(self._address.host, self._address.port, tls)
            is_let_in = True
            filters, self._filters = self._filters, ()  # there may be thousands
            return await self._protocol.subscribe(*filters)
        except HungUp as error:
            hints = [_ABOUT_CERTIFICATES] * (tls is not None) + [broker_limits.HANGING_UP] * (not is_let_in)
            raise NotConnected(str(error) + ("" if self._protocol.trouble else "".join(hints))) from None
