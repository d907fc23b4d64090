"""One terminal as a load: it logs in, says hello, sends signed commands and receives their results.

Does not press keys and shows nothing. Each message from the bridge is checked as the firmware checks it. Times are
`time.monotonic_ns()`, which all processes of a machine share.
"""

import asyncio
import json
import time
from collections.abc import Callable

from phoneterm.core import messages
from phoneterm_bridge.mqtt import packets, wire_messages
from phoneterm_bridge.mqtt.decoder import Decoder

_KEEPALIVE_S = 600
_FIGURE = 100_000  # large enough that nobody takes it for a shortage
HELLO_FIELDS = {"boot": "b0070001", "fw": "1.0", "board": "LOAD", "wire": [1, 1], "caps": ["blind"]}


class LoadTerminal(asyncio.Protocol):
    """A terminal of the site; `on_end` is called with it when a command has its final result.

    sent: (ns, number) of each command. results: (state, reason) of each, in the same order. heard_ns: when the last
    message of each kind came. is_bare: for a peer that knows no session, no call and no signature, only results.
    wrong: received messages that should not exist.
    """

    def __init__(
        self, base: str, tid: str, password: str, key: bytes, on_end: Callable[["LoadTerminal"], None],
        is_bare: bool = False,
    ) -> None:  # fmt: skip
        self.tid = tid
        self.key = key
        self.call: str | None = None
        self.is_talking = is_bare
        self.sent: list[tuple[int, str]] = []
        self.results: list[tuple[str, str | None]] = []
        self.ended_ns: list[int] = []
        self.heard_ns: dict[str, int] = {}
        self.wrong: list[str] = []
        self.subscribed = asyncio.get_running_loop().create_future()
        self._password = password
        self._filter = messages.topic_filters(base, tid)[0]
        self._topics = {kind: messages.topic_of(base, tid, kind) for kind in messages.KINDS}
        self._kinds = {topic: kind for kind, topic in self._topics.items()}
        self._on_end = on_end
        self._is_bare = is_bare
        self._in_force = {"permissions": 0, "config": 0}
        self._session = ""
        self._session_ns = 0
        self._sequence = 0
        self._packet_id = 0
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None

    def say_hello(self) -> None:
        """Ask for a session."""
        self._publish(messages.HELLO, HELLO_FIELDS)

    def report(self) -> None:
        """Send telemetry with everything in it."""
        names = (name for name, _, _ in messages.fields_of(messages.TELEMETRY))
        self._publish(messages.TELEMETRY, {name: -60 if name == "rssi" else _FIGURE for name in names})

    def send_command(self, number: str) -> None:
        """Send the caller to a number, keyed just now."""
        self._sequence += 1
        now_ms = (time.monotonic_ns() - self._session_ns) // 1_000_000
        fields = {"id": f"{self._session}.{self._sequence}", "op": "blind", "number": number, "first_ms": now_ms}
        fields |= {"since_ms": now_ms, "call": self.call}
        self.sent.append((time.monotonic_ns(), number))
        self._publish(messages.COMMAND, fields)

    def leave(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Log in."""
        self._transport = transport  # type: ignore[assignment]
        self._transport.write(  # type: ignore[union-attr]
            packets.connect(self.tid, self.tid, self._password, _KEEPALIVE_S)
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """End every wait for this terminal with an error."""
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError(f"{self.tid} was cut off before it was subscribed"))
            self.subscribed.exception()

    def data_received(self, data: bytes) -> None:
        """Take incoming bytes, and acknowledge them in one write."""
        answers = b""
        for kind, number, topic, payload, _ in self._decoder.feed(data):
            if kind == packets.PUBLISH and number:
                answers += packets.acknowledge(number)
                self._hear(topic, payload)
            elif kind == packets.CONNACK and number == 0:
                answers += packets.subscribe(1, self._filter)
            elif kind == packets.SUBACK and not self.subscribed.done():
                self.subscribed.set_result(None)
        if self._decoder.trouble:
            self.wrong.append(f"{self.tid} was sent {self._decoder.trouble}")
            self.leave()
        elif answers and self._transport is not None:
            self._transport.write(answers)

    def _hear(self, topic: str, payload: bytes) -> None:
        kind = self._kinds[topic]
        if self._is_bare:
            self._take_result({"reason": None, **json.loads(payload)})
            return
        fields = wire_messages.decode(kind, topic, self.key, payload)
        if isinstance(fields, messages.Rejected):
            self.wrong.append(f"{self.tid} heard {kind} that is {fields.reason}: {fields.detail}")
            return
        self.heard_ns[kind] = time.monotonic_ns()
        if kind == messages.SESSION:
            self._session, self._session_ns, self._sequence = fields["session"], time.monotonic_ns(), 0
        elif kind in (messages.PERMISSIONS, messages.CONFIG):
            self._in_force[kind.rpartition("/")[2]] = fields["rev"]
            self._publish(messages.ACK, self._in_force)
        elif kind == messages.CALL:
            self.call, self.is_talking = fields["call"], fields["state"] == "talking"
        elif kind == messages.RESULT and fields["state"] in messages.FINAL_STATES:
            self._take_result(fields)

    def _take_result(self, fields: dict) -> None:
        expected = f"{self._session}.{self._sequence}"
        if fields["id"] != expected or len(self.results) >= len(self.sent):
            self.wrong.append(f"{self.tid} heard of the command {fields['id']}, and waited for {expected}")
            return
        self.results.append((fields["state"], fields["reason"]))
        self.ended_ns.append(time.monotonic_ns())
        self._on_end(self)

    def _publish(self, kind: str, fields: dict) -> None:
        if self._transport is None:
            raise ValueError(f"{self.tid} is not connected")
        self._packet_id = self._packet_id % 65535 + 1
        topic = self._topics[kind]
        payload = wire_messages.encode(kind, topic, self.key, fields)
        self._transport.write(packets.publish(topic, payload, self._packet_id))
