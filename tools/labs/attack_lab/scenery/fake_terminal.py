"""A terminal's half of the wire contract, without a phone: says hello, sends commands, reads their results.

Does not refuse anything by itself, so it says what no firmware would say.
"""

import time
from typing import Any

from phoneterm.core import messages

from attack_lab.scenery.waiting import until

BASE = "phoneterm"


class FakeTerminal:
    """One terminal on a wire: an MqttWire or a MemoryLink. `session`, `session_s`: the one that it uses, since when."""

    def __init__(self, wire: Any, tid: str, key: bytes) -> None:
        self.wire, self.tid, self.key = wire, tid, key
        self.boot = "b001"
        self.session: str | None = None
        self.session_s = 0.0
        self.sequence = 0
        self._decoded: dict[tuple[str, bytes, bytes], Any] = {}  # whoever waits looks at all messages again and again

    def topic(self, kind: str) -> str:
        """Return its topic for a kind of message."""
        return messages.topic_of(BASE, self.tid, kind)

    async def send(
        self, kind: str, fields: dict[str, Any], key: bytes | None = None, is_retained: bool = False
    ) -> None:
        """Send one message, signed with its key or another one."""
        await self.wire.send(self.topic(kind), self.encode(kind, fields, key), is_retained)

    def encode(self, kind: str, fields: dict[str, Any], key: bytes | None = None) -> bytes:
        """Return the payload of one message."""
        return messages.encode(kind, self.topic(kind), key or self.key, fields)

    def heard(self, kind: str) -> list[Any]:
        """Return all messages of a kind so far, decoded ("empty" for an empty payload)."""
        topic = self.topic(kind)
        payloads = [payload for where, payload, _ in tuple(self.wire.published) if where == topic]
        return [self._decode(kind, topic, payload) if payload else "empty" for payload in payloads]

    def _decode(self, kind: str, topic: str, payload: bytes) -> Any:
        known = (topic, self.key, payload)
        if known not in self._decoded:
            self._decoded[known] = messages.decode(kind, topic, self.key, payload)
        return self._decoded[known]

    async def hello(self) -> str:
        """Say hello, and return the session once the bridge has answered everything."""
        before = len(self.heard(messages.SESSION))
        fields = {"boot": self.boot, "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": ["blind", "attended"]}
        await self.send(messages.HELLO, fields)
        # The session is the last message of the answer.
        await until(lambda: len(self.heard(messages.SESSION)) > before, otherwise=f"{self.tid} got no session")
        return self.use_new_session()

    def use_new_session(self) -> str:
        """Go on with the session that it was sent last, as if it had just come."""
        self.session, self.session_s = str(self.heard(messages.SESSION)[-1]["session"]), time.monotonic()
        return self.session

    def command(self, op: str = "blind", number: str | None = "102", **changes: Any) -> dict[str, Any]:
        """Return the fields of a valid command keyed just now."""
        self.sequence += 1
        now_ms = int((time.monotonic() - self.session_s) * 1000)
        fields = {"id": f"{self.session}.{self.sequence}", "op": op, "number": number, "first_ms": now_ms}
        return fields | {"since_ms": now_ms, "call": "c1"} | changes

    def results(self, command_id: str) -> list[tuple[str, str | None]]:
        """Return (state, reason) of all results of a command so far."""
        found = [result for result in self.heard(messages.RESULT) if result["id"] == command_id]
        return [(result["state"], result["reason"]) for result in found]

    async def ask(self, op: str = "blind", number: str | None = "102", **changes: Any) -> tuple[str, str | None]:
        """Send a command and return its first result (state, reason)."""
        return await self.ask_with(self.command(op, number, **changes))

    async def ask_with(self, fields: dict[str, Any]) -> tuple[str, str | None]:
        """Send a command with these fields and return its first result."""
        before = len(self.results(fields["id"]))
        await self.send(messages.COMMAND, fields)
        await until(
            lambda: len(self.results(fields["id"])) > before, otherwise=f"a command of {self.tid} got no result"
        )
        return self.results(fields["id"])[before]
