"""Messages from terminals: finds the terminal, checks the message, and passes it on by kind. Does not judge commands.

A bad message gives one log line and a count, never an exception: a retained command, a topic that is not in the
contract, a terminal that does not exist or is revoked, a wrong signature, a malformed payload.
"""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache, partial

import structlog
from phoneterm.core import messages

from phoneterm_bridge.command.command import Command
from phoneterm_bridge.command.dispatcher import CommandDispatcher
from phoneterm_bridge.mqtt import wire_messages
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.troubles import MEMORY
from phoneterm_bridge.terminals.memory import find_shortage
from phoneterm_bridge.terminals.refusals import Refusals
from phoneterm_bridge.terminals.sightings import Sightings
from phoneterm_bridge.terminals.telemetry import Telemetry
from phoneterm_bridge.terminals.troubles import Troubles
from phoneterm_bridge.terminals.updates import TerminalUpdates
from phoneterm_bridge.wording.logs import shorten

_NOT_AUTHENTIC = {"id": None, "op": None, "number": None, "call": None}
_TOPICS_REMEMBERED = 4096
_SPOKEN_BY_TERMINALS = (
    messages.HELLO,
    messages.STATE,
    messages.COMMAND,
    messages.ACK,
    messages.TELEMETRY,
    messages.REFUSAL,
)


class MessageRouter:
    """The entry point of every message from a terminal."""

    def __init__(
        self,
        base: str,
        directory: LiveDirectory,
        updates: TerminalUpdates,
        dispatcher: CommandDispatcher,
        journal: Journal,
        telemetry: Telemetry,
        troubles: Troubles,
        sightings: Sightings,
        refusals: Refusals,
    ) -> None:
        self._parse = lru_cache(_TOPICS_REMEMBERED)(partial(messages.parse_topic, base))
        self._directory = directory
        self._updates = updates
        self._dispatcher = dispatcher
        self._journal = journal
        self._telemetry = telemetry
        self._troubles = troubles
        self._sightings = sightings
        self._refusals = refusals
        self.refused: Counter[str] = Counter()
        self._receivers: dict[str, Callable[[TerminalRecord, dict], None]] = {
            messages.HELLO: self._on_hello,
            messages.STATE: self._on_state,
            messages.ACK: self._on_ack,
            messages.TELEMETRY: self._on_telemetry,
        }

    async def receive(self, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]) -> None:
        """Take one message from the link; never raises. A command is acknowledged before the PBX answers."""
        parsed = self._parse(topic)
        if parsed is None or parsed[1] not in _SPOKEN_BY_TERMINALS:
            self._refuse("unknown-topic", topic)
            return
        tid, kind = parsed
        if is_retained and kind != messages.STATE:
            self._refuse("retained", topic)
            return
        if kind == messages.STATE and not payload:
            return  # when the bridge clears a retained message, it receives that itself
        terminal = self._directory.find(tid)
        if terminal is None:
            self._refuse("unknown-terminal", topic)
            if kind == messages.STATE:
                self._updates.silence(tid)
            return
        fields = wire_messages.decode(kind, topic, terminal.key, payload)
        if isinstance(fields, messages.Rejected):
            self._refuse(fields.reason, topic, fields.detail)
            if kind == messages.COMMAND:
                await self._journal_refused(terminal, fields.reason)
            return
        if kind != messages.STATE:
            self._sightings.see(tid)
        try:
            if kind == messages.COMMAND:
                await self._dispatcher.dispatch(Command(terminal, fields), acknowledge)
                self._updates.follow_clock()
            elif kind == messages.REFUSAL:
                await self._refusals.receive(terminal, fields)
            else:
                self._receivers[kind](terminal, fields)
        except Exception as error:  # our own mistake must not stop the service, which would affect all other terminals
            structlog.get_logger().exception("message-not-taken", tid=tid, kind=kind, error=type(error).__name__)

    def _on_hello(self, terminal: TerminalRecord, fields: dict) -> None:
        self._updates.greet(terminal, fields)

    def _on_state(self, terminal: TerminalRecord, fields: dict) -> None:
        if fields["state"] == "offline":
            self._updates.see_off(terminal.tid, fields["boot"])

    def _on_ack(self, terminal: TerminalRecord, fields: dict) -> None:
        self._updates.on_ack(terminal, fields)

    def _on_telemetry(self, terminal: TerminalRecord, fields: dict) -> None:
        known = {name: value for name, value in fields.items() if value is not None and name != "v"}
        self._telemetry.keep(terminal.tid, known)
        self._sightings.see(terminal.tid, known.get("rssi"))
        self._update_shortage(terminal.tid, find_shortage(known))
        structlog.get_logger().debug("telemetry", tid=terminal.tid, **known)

    def _update_shortage(self, tid: str, shortage: str | None) -> None:
        if shortage is None:
            self._troubles.end(tid, MEMORY)
        else:
            self._troubles.begin(tid, MEMORY, shortage)

    async def _journal_refused(self, terminal: TerminalRecord, reason: str) -> None:
        """Journal an unauthentic command, without its id: it must not use up the id of a real command."""
        try:
            verdict = [Event("check", "refused", reason), Event("result", "rejected", reason)]
            await self._journal.open(terminal, _NOT_AUTHENTIC, verdict)
        except Exception as error:  # it was refused anyway
            structlog.get_logger().error("journal-not-written", why=self._journal.explain(error))

    def _refuse(self, reason: str, topic: str, detail: str = "") -> None:
        self.refused[reason] += 1
        words = {"detail": shorten(detail)} if detail else {}
        structlog.get_logger().warning("message-refused", reason=reason, topic=shorten(topic), **words)
