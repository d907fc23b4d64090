"""An MQTT client that is not ours (gmqtt), in the hands of a test or of an attacker. Knows no terminal."""

import asyncio
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError

from attack_lab.scenery.waiting import PATIENCE_S, until

LoginRefused = MQTTConnectError


class MqttWire:
    """One connection to a broker on 127.0.0.1. `published`: (topic, payload, is retained) of all that was received."""

    def __init__(self, client_id: str | None = None, **options: Any) -> None:
        self.published: list[tuple[str, bytes, bool]] = []
        self.granted: list[int] = []
        self._client = gmqtt.Client(client_id, **options)
        self._client.set_config({"reconnect_retries": -2})
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda _, mid, granted, properties: self.granted.extend(granted)
        self.is_lost = False
        self._client.on_disconnect = self._on_disconnect

    def _on_disconnect(self, *_: object) -> None:
        self.is_lost = True

    def _on_message(self, _client: object, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]) -> None:
        self.published.append((topic, bytes(payload), bool(properties["retain"])))

    async def connect(self, port: int, username: str | None, password: str | None, keepalive: int = 60) -> None:
        """Log in; LoginRefused when the broker says no."""
        if username is not None:
            self._client.set_auth_credentials(username, password)
        await asyncio.wait_for(
            self._client.connect("127.0.0.1", port, keepalive=keepalive, version=MQTTv311), PATIENCE_S
        )

    async def subscribe(self, *filters: str) -> list[int]:
        """Subscribe, and return what the broker grants."""
        before = len(self.granted)
        for topic_filter in filters:
            self.ask_for(topic_filter)
        await until(lambda: len(self.granted) == before + len(filters))
        return self.granted[before:]

    async def subscribe_anyhow(self, *filters: str) -> None:
        """Subscribe to one after the other until the broker ends the connection; its answers do not matter."""
        for topic_filter in filters:
            if not self.is_lost:
                await self._ask_and_wait(topic_filter)

    async def _ask_and_wait(self, topic_filter: str) -> None:
        answered = len(self.granted)
        self.ask_for(topic_filter)
        await until(lambda: len(self.granted) > answered or self.is_lost)

    def ask_for(self, topic_filter: str) -> None:
        """Send a subscription."""
        self._client.subscribe(topic_filter, qos=1)

    async def send(self, topic: str, payload: bytes, is_retained: bool = False) -> None:
        """Publish with QoS 1."""
        self._client.publish(topic, payload, qos=1, retain=is_retained)

    def heard(self) -> set[str]:
        """Return the topics of all that was received."""
        return {topic for topic, _, _ in self.published}

    def cut(self) -> None:
        """Lose the connection, without a goodbye."""
        self._client._connection._transport.abort()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.disconnect()
