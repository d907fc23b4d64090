"""What the bridge says to terminals: encodes, signs and publishes each message. Does not decide what to say.

A message to a terminal that is not in the directory, or while the link is down, is not sent and not kept for later.
Messages never overtake each other.
"""

from collections import Counter
from functools import lru_cache, partial

import structlog
from phoneterm.core import messages
from phoneterm.core.operations import FLAGS

from phoneterm_bridge.mqtt import wire_messages
from phoneterm_bridge.mqtt.link import Link
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.terminals.outbox import Outbox
from phoneterm_bridge.terminals.sessions import Session

_RETAINED = (messages.PERMISSIONS, messages.CONFIG)
_LEFT_BEHIND = (*_RETAINED, messages.STATE)  # everything that the broker retains of a terminal

_TOPICS_REMEMBERED = 4096


class TerminalPublisher:
    """Publishes under one base topic; `said` counts the messages to terminals, by kind."""

    def __init__(self, link: Link, base: str, directory: LiveDirectory, outbox: Outbox) -> None:
        self._link = link
        self._topic_of = lru_cache(_TOPICS_REMEMBERED)(partial(messages.topic_of, base))
        self._directory = directory
        self._outbox = outbox
        self.said: Counter[str] = Counter()

    def say_session(self, session: Session) -> None:
        """Tell a terminal its new session."""
        fields = {"boot": session.boot, "session": session.id, "ttl_ms": session.ttl_ms}
        self._say(session.tid, messages.SESSION, fields)

    def say_permissions(self, terminal: TerminalRecord, classes: list[str]) -> None:
        """Tell a terminal what it may do, and with which classes of numbers, at the directory's present revision."""
        fields = {
            "rev": self._directory.revision,
            "multi_user_aware": terminal.may_transfer,
            "classes": classes,
        } | {flag: terminal.has(flag) for flag in FLAGS}
        self._say(terminal.tid, messages.PERMISSIONS, fields)

    def say_config(self, tid: str, fields: dict) -> None:
        """Tell a terminal its digit map, timers, tones and key roles."""
        self._say(tid, messages.CONFIG, fields)

    def say_call(self, tid: str, fields: dict) -> None:
        """Tell a terminal the state of its call."""
        self._say(tid, messages.CALL, fields)

    def say_result(self, tid: str, command_id: str, state: str, reason: str | None) -> None:
        """Tell a terminal the result of a command."""
        self._say(tid, messages.RESULT, {"id": command_id, "state": state, "reason": reason})

    def say_request(self, tid: str, request_id: str, boot: str, operation: str) -> bool:
        """Tell one start of a terminal to identify itself, reboot or wipe itself; return whether it was published."""
        self._outbox.flush()
        return self._say_now(tid, messages.REQUEST, {"id": request_id, "boot": boot, "op": operation})

    def say_bridge_state(self, state: str) -> None:
        """Tell everybody whether the bridge is online, degraded (PBX away) or offline."""
        topic = self._topic_of("", messages.BRIDGE_STATE)
        payload = wire_messages.encode(messages.BRIDGE_STATE, topic, None, {"state": state})
        self._outbox.send(self._publish, topic, payload)

    def clear(self, tid: str) -> None:
        """Take permissions and configuration from a revoked terminal, and clear its retained messages."""
        for kind in _LEFT_BEHIND:
            self._outbox.send(self._publish, self._topic_of(tid, kind), b"")

    def _publish(self, topic: str, payload: bytes) -> None:
        self._link.publish(topic, payload, True)

    def _say(self, tid: str, kind: str, fields: dict) -> None:
        self._outbox.send(self._say_now, tid, kind, fields)

    def _say_now(self, tid: str, kind: str, fields: dict) -> bool:
        terminal = self._directory.find(tid)
        if terminal is None:
            return False
        topic = self._topic_of(tid, kind)
        payload = wire_messages.encode(kind, topic, terminal.key, fields)
        is_said = self._link.publish(topic, payload, kind in _RETAINED)
        if is_said:
            self.said[kind] += 1
        else:
            structlog.get_logger().debug("not-said", tid=tid, kind=kind)
        return is_said
