"""The part of a bridge that a connected, idle terminal needs: it answers hello with a session, and can grant.

Does not know calls or a PBX. For measurements; the real one is `phoneterm_bridge`.
"""

import ssl

from phoneterm.core import messages
from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.mqtt.protocol import MqttProtocol

_BASE = "phoneterm"
_TTL_MS = 8000
_KEEPALIVE_S = 60


class SmallBridge:
    """The bridge of one terminal, whose signing key is `key`."""

    def __init__(self, tid: str, key: bytes) -> None:
        self._tid = tid
        self._key = key

    async def start(self, port: int, username: str, password: str, tls: ssl.SSLContext | None = None) -> None:
        """Connect to the broker and wait for hello."""
        login = packets.connect("small-bridge", username, password, _KEEPALIVE_S)
        self._protocol = MqttProtocol(login, _KEEPALIVE_S, self._answer)
        await self._protocol.open("127.0.0.1", port, tls)
        await self._protocol.subscribe(messages.topic_of(_BASE, self._tid, messages.HELLO))

    async def stop(self) -> None:
        """Disconnect."""
        await self._protocol.close()

    def grant(self) -> None:
        """Leave permissions at the broker, as the bridge does."""
        fields = {"rev": 1, "multi_user_aware": True, "blind": True, "attended": True, "classes": ["internal"]}
        where = messages.topic_of(_BASE, self._tid, messages.PERMISSIONS)
        payload = messages.encode(messages.PERMISSIONS, where, self._key, fields)
        self._protocol.publish(where, payload, is_retained=True)

    async def _answer(self, topic: str, payload: bytes, *_: object) -> None:
        hello = messages.decode(messages.HELLO, topic, self._key, payload)
        if isinstance(hello, messages.Rejected):
            return
        where = messages.topic_of(_BASE, self._tid, messages.SESSION)
        fields = {"boot": hello["boot"], "session": "0123456789", "ttl_ms": _TTL_MS}
        self._protocol.publish(where, messages.encode(messages.SESSION, where, self._key, fields))
