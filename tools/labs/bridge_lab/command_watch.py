"""Sees when the broker hands out each command: an extra subscriber beside the bridge, in the process of the PBX.

Does not judge. So both moments, a command handed out and the PBX asked, are taken in one process, by one clock, and a
busy process delays both alike.
"""

import json
import time

from phoneterm.core import messages
from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.mqtt.protocol import MqttProtocol

USERNAME = "WATCH"
_KEEPALIVE_S = 600


class CommandWatch:
    """heard: by terminal, (ns, number) of each command; the reader may remove entries."""

    def __init__(self) -> None:
        self.heard: dict[str, list[tuple[int, str]]] = {}
        self._base = ""

    async def start(self, port: int, password: str, base: str) -> None:
        """Log in at a broker on 127.0.0.1 and subscribe to the commands of all terminals."""
        self._base = base
        protocol = MqttProtocol(packets.connect(USERNAME, USERNAME, password, _KEEPALIVE_S), _KEEPALIVE_S, self._hear)
        await protocol.open("127.0.0.1", port, None)
        if not await protocol.subscribe(messages.topic_of(base, "+", messages.COMMAND)):
            raise ConnectionError("the broker does not let the watch subscribe")

    async def _hear(self, topic: str, payload: bytes, *_: object) -> None:
        now_ns = time.monotonic_ns()
        parsed = messages.parse_topic(self._base, topic)
        if parsed is not None:
            number = json.loads(payload.partition(b"\n")[0])["number"]
            self.heard.setdefault(parsed[0], []).append((now_ns, number))
