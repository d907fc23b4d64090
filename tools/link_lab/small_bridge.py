"""As much of a bridge as a terminal needs to be idle in earnest: it answers hello with a session, and may grant.

Does not know calls or a PBX. For measurements; the real one is `phoneterm_bridge`.
"""

import ssl

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from phoneterm.core import messages

_BASE = "phoneterm"
_TTL_MS = 8000


class SmallBridge:
    """The bridge of one terminal, whose signing key is `key`."""

    def __init__(self, tid: str, key: bytes) -> None:
        self._tid = tid
        self._key = key
        self._client = gmqtt.Client(None)
        self._client.on_message = self._answer

    async def start(self, port: int, username: str, password: str, tls: ssl.SSLContext | None = None) -> None:
        """Connect to the broker and wait for hello."""
        self._client.set_auth_credentials(username, password)
        await self._client.connect("127.0.0.1", port, ssl=tls or False, version=MQTTv311)
        self._client.subscribe(messages.topic_of(_BASE, self._tid, messages.HELLO), qos=1)

    async def stop(self) -> None:
        """Disconnect."""
        await self._client.disconnect()

    def grant(self) -> None:
        """Leave permissions at the broker, as the bridge does."""
        fields = {"rev": 1, "multi_user_aware": True, "blind": True, "attended": True, "classes": ["internal"]}
        where = messages.topic_of(_BASE, self._tid, messages.PERMISSIONS)
        payload = messages.encode(messages.PERMISSIONS, where, self._key, fields)
        self._client.publish(where, payload, qos=1, retain=True)

    def _answer(self, _client: object, topic: str, payload: bytes, _qos: int, _properties: object) -> None:
        hello = messages.decode(messages.HELLO, topic, self._key, payload)
        if isinstance(hello, messages.Rejected):
            return
        where = messages.topic_of(_BASE, self._tid, messages.SESSION)
        fields = {"boot": hello["boot"], "session": "0123456789", "ttl_ms": _TTL_MS}
        self._client.publish(where, messages.encode(messages.SESSION, where, self._key, fields), qos=1)
