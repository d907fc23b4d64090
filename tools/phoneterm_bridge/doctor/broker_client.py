"""A client at the broker for trying what a login may do. Does not judge, has no last will and never reconnects.

`open` raises Refused when the broker says no to the login, and NotReached when there is no broker to ask.
"""

import asyncio
import secrets
from contextlib import suppress
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTError

from phoneterm_bridge.broker.tls import make_client_context
from phoneterm_bridge.doctor.trouble import describe_trouble
from phoneterm_bridge.problem import SetupProblem
from phoneterm_bridge.settings import BrokerSettings

_CONNECT_S = 5
_ANSWER_S = 2
_REFUSED = 0x80
_NEVER_RECONNECT = {"reconnect_retries": -2}


class Refused(Exception):
    """The broker does not accept this login."""


class NotReached(Exception):
    """There is no MQTT broker there; says why in a few words."""


class BrokerClient:
    """One connection; `heard` are (topic, payload) of what came."""

    def __init__(self, settings: BrokerSettings, username: str | None, password: str = "") -> None:
        """username None: without any login, as a stranger."""
        self._settings = settings
        self.heard: set[tuple[str, bytes]] = set()
        self._granted: asyncio.Queue[int] = asyncio.Queue()
        self._client = gmqtt.Client(f"doctor-{secrets.token_hex(8)}", clean_session=True)
        self._client.set_config(_NEVER_RECONNECT)
        if username is not None:
            self._client.set_auth_credentials(username, password)
        self._client.on_message = self._take
        self._client.on_subscribe = self._note_subscription

    async def open(self) -> None:
        """Connect and log in."""
        try:
            tls = make_client_context(self._settings) or False
            async with asyncio.timeout(_CONNECT_S):
                await self._client.connect(self._settings.host, self._settings.port, ssl=tls, version=MQTTv311)
        except SetupProblem as problem:
            raise NotReached(str(problem).rstrip(".")) from None
        except MQTTError as error:
            raise Refused(str(error)) from None
        except (OSError, TimeoutError) as error:
            raise NotReached(describe_trouble(error)) from None
        except ValueError as error:  # a host name that cannot be one
            raise NotReached(str(error)) from None

    async def subscribe(self, topic_filter: str) -> bool:
        """Ask for messages, and say whether the broker granted it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                self._client.subscribe(gmqtt.Subscription(topic_filter, qos=1))
                return await self._granted.get() < _REFUSED
        return False

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish, never retained."""
        self._client.publish(topic, payload, qos=1, retain=False)

    async def close(self) -> None:
        """Leave."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_ANSWER_S):
                await self._client.disconnect()

    def _note_subscription(self, _client: Any, _mid: int, granted: tuple[int, ...], _properties: Any) -> None:
        self._granted.put_nowait(max(granted))

    async def _take(self, _client: Any, topic: str, payload: bytes, _qos: int, _properties: dict) -> int:
        self.heard.add((topic, bytes(payload)))
        return 0
