"""Follows commands at the PBX to their true end, and informs terminal and journal. Does not decide or ask anything.

A running command belongs to one call reference. Its results only go forward: accepted, ringing, consulting, then one
final state. The journal gets each of them; the terminal is told only the newest when its turn comes. A command that
acts on a transfer shares its reference and ends with it. If a command's call has disappeared from the PBX, the command
ends as unknown unless more news comes; if it disappeared while the PBX was away, it ends as unknown at once. A blind
transfer is done when the caller has been sent; where the caller came to, and whether anybody answered there, are more
lines in the journal, whenever they come.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

import structlog
from phoneterm.core.messages import FINAL_STATES

from phoneterm_bridge.pbx.calls import is_consulting
from phoneterm_bridge.pbx.operations import Operation, find_operation
from phoneterm_bridge.pbx.port import PLACES, Call
from phoneterm_bridge.settings.timing import USUAL
from phoneterm_bridge.store.journal import Event, Journal, Recorded
from phoneterm_bridge.terminals.outbox import Outbox
from phoneterm_bridge.terminals.publisher import TerminalPublisher

_MOST_SENT = 1000
_FORWARD = {"accepted": 1, "ringing": 2, "consulting": 3}


@dataclass(eq=False, slots=True)
class RunningCommand:
    """One running command; `asked` is done once the PBX has answered (or can no longer)."""

    tid: str
    command_id: str
    operation: Operation
    call: Call
    asked: asyncio.Future[None]
    recorded: Recorded | None = None
    step: int = 0
    untold: tuple[str, str | None] | None = None  # the last result, until the terminal has been told
    silence: asyncio.TimerHandle | None = None
    is_external: bool = False
    end: tuple[str, str | None] | None = None  # of the transfer that it acts on, if that came before it was decided

    @property
    def is_transfer(self) -> bool:
        """Say whether it began at the call, instead of acting on a transfer under way."""
        return self.operation.acts_on == "call"

    def note_answer(self) -> None:
        """The PBX has answered, or can no longer."""
        if not self.asked.done():
            self.asked.set_result(None)


class RunningCommands:
    """All commands whose end is not known yet."""

    def __init__(
        self, publisher: TerminalPublisher, journal: Journal, outbox: Outbox, silence_s: float = USUAL.silence_s
    ) -> None:
        self._publisher = publisher
        self._outbox = outbox
        self._silence_s = silence_s
        self._journal = journal
        self._log = structlog.get_logger().bind()  # made once: a command has one line
        self._running_commands: dict[RunningCommand, None] = {}
        self._by_ref: dict[str, list[RunningCommand]] = {}
        self._sent: OrderedDict[str, Recorded] = OrderedDict()

    @property
    def count(self) -> int:
        """How many commands have no end yet."""
        return len(self._running_commands)

    @property
    def external_count(self) -> int:
        """How many transfers to numbers outside have no end yet."""
        return sum(running.is_external for running in self._running_commands)

    def begin(self, tid: str, command_id: str, op: str, call: Call) -> RunningCommand:
        """Take a call for a command; from now on a second transfer of it is refused.

        ValueError for an operation that is not in the table.
        """
        operation = find_operation(op)
        if operation is None:
            raise ValueError(f"there is no operation {op!r}")
        running = RunningCommand(tid, command_id, operation, call, asyncio.get_running_loop().create_future())
        self._running_commands[running] = None
        self._by_ref.setdefault(call.ref, []).append(running)
        return running

    def transfer_of(self, ref: str) -> RunningCommand | None:
        """Return the transfer that is under way on a call, if any."""
        found = (running for running in self._by_ref.get(ref, ()) if running.is_transfer)
        return next(found, None)

    def report(self, running: RunningCommand, state: str, reason: str | None) -> None:
        """Move a command to a result state: journal it, tell the terminal soon; an earlier state changes nothing."""
        if running not in self._running_commands:
            return
        if state in FINAL_STATES:
            self.drop(running)
            self._remember_sent(running, state)
        elif _FORWARD[state] <= running.step:
            return
        else:
            running.step = _FORWARD[state]
        self.journal(running, Event("result", state, reason))
        is_waiting, running.untold = running.untold is not None, (state, reason)
        if not is_waiting:
            self._outbox.send(self._say_result, running)

    def _say_result(self, running: RunningCommand) -> None:
        """Tell the terminal the progress of its command."""
        if running.untold is None:
            return
        (state, reason), running.untold = running.untold, None
        self._publisher.say_result(running.tid, running.command_id, state, reason)
        words = {"tid": running.tid, "id": running.command_id, "op": running.operation.name, "state": state}
        say = self._log.info if state in FINAL_STATES else self._log.debug
        say("result", **words, **({"reason": reason} if reason else {}))

    def drop(self, running: RunningCommand) -> None:
        """Forget a command without telling anybody."""
        running.note_answer()
        if running.silence is not None:
            running.silence.cancel()
        if running in self._running_commands:
            del self._running_commands[running]
            self._by_ref[running.call.ref].remove(running)
            if not self._by_ref[running.call.ref]:
                del self._by_ref[running.call.ref]

    def on_progress(self, ref: str, state: str, reason: str | None) -> None:
        """The PBX reports progress of the transfer on a call; commands that act on it end with it."""
        for running in tuple(self._by_ref.get(ref, ())):
            self.journal(running, Event("event", state, reason))
            if running.is_transfer:
                self.report(running, state, reason)
            elif state in FINAL_STATES and running.recorded is None:
                running.end = (state, reason)  # the journal does not have the command yet: see `has_ended`
            elif state in FINAL_STATES:
                self.report(running, *_end_of(running.operation, state, reason))

    def has_ended(self, running: RunningCommand) -> bool:
        """Report the end of a command whose transfer ended while it was decided, and say whether that is so."""
        if running.end is None:
            return False
        self.journal(running, Event("event", *running.end))
        self.report(running, *_end_of(running.operation, *running.end))
        return True

    def on_arrival(self, ref: str, word: str, reason: str | None) -> None:
        """Journal where a transfer took the caller, and at last whether somebody answered."""
        recorded = self._sent.get(ref) if word in PLACES else self._sent.pop(ref, None)
        if recorded is not None:
            self._journal.append(recorded, Event("arrival", word, reason))

    def on_resync(self, endpoint: str, calls: tuple[Call, ...]) -> None:
        """The PBX was away and is back with these calls of an endpoint: a command without its call is unknown."""
        going_on = {call.ref for call in calls if is_consulting(call)}
        for running in tuple(self._running_commands):
            is_asked = running.call.endpoint == endpoint and running.asked.done()
            if is_asked and running.call.ref not in going_on:
                self.report(running, "unknown", None)

    def on_calls(self, endpoint: str, refs: set[str]) -> None:
        """The PBX has only these calls of an endpoint now: a command without its call ends soon unless news comes."""
        for running in self._running_commands:
            if running.call.endpoint != endpoint or not running.asked.done():
                continue
            if running.call.ref in refs:
                if running.silence is not None:
                    running.silence.cancel()
                running.silence = None
            elif running.silence is None:
                loop = asyncio.get_running_loop()
                running.silence = loop.call_later(self._silence_s, self.report, running, "unknown", None)

    def _remember_sent(self, running: RunningCommand, state: str) -> None:
        if running.is_transfer and state == "done" and running.recorded is not None:
            self._sent[running.call.ref] = running.recorded
            while len(self._sent) > _MOST_SENT:
                self._sent.popitem(last=False)

    def endpoints(self) -> set[str]:
        """Return the endpoints with running commands."""
        return {running.call.endpoint for running in self._running_commands}

    def journal(self, running: RunningCommand, event: Event) -> None:
        """Journal one more line of a command."""
        if running.recorded is not None:
            self._journal.append(running.recorded, event)

    def stop(self) -> None:
        """Stop all waits; commands without an end become unknown in the journal at the next start."""
        for running in self._running_commands:
            if running.silence is not None:
                running.silence.cancel()


def _end_of(operation: Operation, state: str, reason: str | None) -> tuple[str, str | None]:
    """Return how an operation ends with the end of the transfer that it acts on.

    The transfer's "done" is not the operation's, unless it asked for that: the caller is with the colleague.
    """
    if state == operation.ends:
        return "done", None
    return ("failed", "busy-transferring") if state == "done" else (state, reason)
