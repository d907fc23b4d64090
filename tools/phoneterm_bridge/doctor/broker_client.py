"""A broker client that tries what a login may do. Does not judge, has no last will and never reconnects.

`open` raises Refused when the broker refuses the login, and NotReached when there is no broker.
"""

import asyncio
import secrets
import ssl
from contextlib import suppress

from phoneterm_bridge.broker.shown_certificate import where_to_look
from phoneterm_bridge.broker.tls import load_client_certificate, make_client_context, make_terminal_context
from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.mqtt.broker_limits import HANGING_UP, TOO_LONG_KEEPALIVE, explain_refusal
from phoneterm_bridge.mqtt.protocol import HungUp, LoginRefused, MqttProtocol
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.trouble import describe_trouble

_CONNECT_S = 5
_ANSWER_S = 2
LIMITS = "retain_available true, max_qos 1, max_packet_size as `phoneterm broker config` writes it"


class Refused(Exception):
    """The broker does not accept this login."""


class NotReached(Exception):
    """There is no MQTT broker there, or one whose limits let nobody in; the text says why, and `limit` the remedy."""

    def __init__(self, text: str, limit: str = "") -> None:
        """limit: a line of mosquitto.conf, "" where none would help."""
        self.limit = limit
        super().__init__(text)


class BrokerClient:
    """One connection; `heard` has (topic, payload) of the received messages."""

    def __init__(
        self, settings: BrokerSettings, username: str | None, password: str = "", will: packets.Will | None = None
    ) -> None:
        """username None: without any login, as a stranger."""
        self._settings = settings
        self.heard: set[tuple[str, bytes]] = set()
        name, keepalive_s = f"doctor-{secrets.token_hex(8)}", settings.keepalive_s
        login = packets.connect(name, username, password, keepalive_s, will)
        self._protocol = MqttProtocol(login, keepalive_s, self._on_message)

    async def open(self) -> None:
        """Connect and log in."""
        try:
            tls = _make_context(self._settings)
            async with asyncio.timeout(_CONNECT_S):
                await self._protocol.open(where_to_look(self._settings), self._settings.port, tls)
        except SetupProblem as problem:
            raise NotReached(str(problem).rstrip(".")) from None
        except LoginRefused as error:
            if error.code == TOO_LONG_KEEPALIVE:
                keepalive_s = self._settings.keepalive_s
                limit = f"max_keepalive {keepalive_s}   # or more, or without that line"
                raise NotReached(f"{error}{explain_refusal(error.code, keepalive_s)}", limit) from None
            raise Refused(str(error)) from None
        except HungUp as error:
            hint = "" if self._protocol.trouble else HANGING_UP
            raise NotReached(f"{error}{hint}", LIMITS if hint else "") from None
        except (OSError, TimeoutError) as error:
            raise NotReached(describe_trouble(error)) from None
        except ValueError as error:  # a host name that cannot be one
            raise NotReached(str(error)) from None

    async def subscribe(self, topic_filter: str) -> bool:
        """Subscribe, and return whether the broker granted it."""
        with suppress(TimeoutError, HungUp):
            async with asyncio.timeout(_ANSWER_S):
                return await self._protocol.subscribe(topic_filter)
        return False

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish, never retained."""
        self._protocol.publish(topic, payload)

    async def close(self) -> None:
        """Leave."""
        await self._protocol.close()

    async def _on_message(self, topic: str, payload: bytes, *_: object) -> None:
        self.heard.add((topic, payload))


def _make_context(settings: BrokerSettings) -> ssl.SSLContext | None:
    """Return the context for the broker. The embedded one is on this machine, whatever name is in its certificate."""
    if not settings.embedded:
        return make_client_context(settings)
    if settings.certificate_path is None:
        return None
    context = make_terminal_context(settings)
    load_client_certificate(context, settings)
    return context
