"""The path of one command, from an authentic message to the PBX: the steps in order, and nothing else.

Does not read MQTT payloads, know the single checks (`checks.py` does) or follow a command after the PBX has accepted it
(`running_commands.py` does). The order: new, all checks, journal (durably), checks again, PBX. Nothing is queued and
nothing is tried twice: an action that may have happened but was not confirmed is "unknown". What acts on a transfer
under way does not wait for a journal that cannot be written, because a caller would stay on hold meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import cast

import structlog
from phoneterm.core.messages import FINAL_STATES

from phoneterm_bridge.command.checks import Checks
from phoneterm_bridge.command.command import Command
from phoneterm_bridge.command.pbx_requests import PbxRequests
from phoneterm_bridge.command.running_commands import RunningCommand, RunningCommands
from phoneterm_bridge.store.journal import Event, Journal, Recorded
from phoneterm_bridge.terminals.publisher import TerminalPublisher


class CommandDispatcher:
    """Takes the commands of all terminals."""

    def __init__(
        self,
        checks: Checks,
        pbx_requests: PbxRequests,
        journal: Journal,
        running_commands: RunningCommands,
        publisher: TerminalPublisher,
        deciding: set[tuple[str, str]],
    ) -> None:
        """deciding: receives the commands that are being decided, each as (tid, id)."""
        self._checks = checks
        self._pbx_requests = pbx_requests
        self._journal = journal
        self._running_commands = running_commands
        self._publisher = publisher
        self._is_open = True
        self._deciding = deciding
        self._running: set[asyncio.Task] = set()

    @property
    def in_flight(self) -> int:
        """How many commands are with the PBX."""
        return len(self._running)

    async def dispatch(self, command: Command, acknowledge: Callable[[], None]) -> None:
        """Decide on one authentic command and have it carried out; `acknowledge` as soon as it is decided."""
        key = (command.terminal.tid, command.id)
        if not self._is_open or key in self._deciding:
            return
        running = None
        self._deciding.add(key)
        try:
            if not await self._is_repeated(command):
                running = await self._decide(command)
        finally:
            self._deciding.discard(key)
        acknowledge()
        if running is not None:
            await self._run(self._carry_out(command, running))

    def close(self) -> None:
        """Take no more commands."""
        self._is_open = False

    async def finish(self, timeout_s: float) -> None:
        """Wait for the commands that are with the PBX."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)

    async def _decide(self, command: Command) -> RunningCommand | None:
        """Check and journal a new command; return what to carry out, or None when it was refused."""
        running, reason = await self._checks.check(command)
        is_urgent = reason is None and running is not None and not running.is_transfer
        recorded, reason = await self._record(command, reason, is_urgent)
        if running is not None and recorded is not None and reason is None:
            running.recorded = recorded
            return running
        if running is not None:
            self._running_commands.drop(running)
        if reason is not None:
            structlog.get_logger().info(
                "refused", tid=command.terminal.tid, id=command.id, op=command.op, reason=reason
            )
            self._publisher.say_result(command.terminal.tid, command.id, "rejected", reason)
        return None

    async def _record(
        self, command: Command, reason: str | None, is_urgent: bool
    ) -> tuple[Recorded | None, str | None]:
        """Journal a command durably; return what was written, and the reason to refuse it, if any."""
        who, fields = command.terminal, command.fields
        try:
            events = command.timeline(reason, self._checks.first_key_age_ms(command))
            recorded = await self._journal.open(who, fields, events, command.received_ms, is_urgent)
        except Exception as error:  # a command that cannot be journalled is not carried out, whatever the cause
            structlog.get_logger().error("journal-not-written", why=self._journal.explain(error))
            return None, reason or "unavailable"
        return recorded, reason

    async def _is_repeated(self, command: Command) -> bool:
        """Answer a command that has come before with its recorded result.

        Only the live session guarantees that nothing is done twice: it admits an id once, and without a session nothing
        is done at all. The journal only has the answers.
        """
        tid = command.terminal.tid
        session = self._checks.session_of(command)
        if session is not None and session.admit(command.id):
            return False
        known = self._journal.remembered(tid, command.id)
        if known is None:
            known = await self._look_up(command)
        if known is None and session is None:
            return False  # the checks will refuse it
        state: str | None = "rejected"
        reason: str | None = "duplicate"
        if known is not None and (known.op, known.number) == (command.op, command.number):
            state, reason = known.state, known.reason
        structlog.get_logger().info("command-repeated", tid=tid, id=command.id, state=state)
        if state is not None:
            self._publisher.say_result(tid, command.id, state, reason)
        return True

    async def _look_up(self, command: Command) -> Recorded | None:
        """Return what the journal knows of a command; nothing if it cannot be used, so that it is not done anyway."""
        try:
            return await self._journal.look_up(command.terminal, command.id)
        except Exception as error:
            structlog.get_logger().error("journal-not-read", why=self._journal.explain(error))
            return None

    async def _carry_out(self, command: Command, running: RunningCommand) -> None:
        """Ask the PBX, once, if nothing has changed since the checks."""
        if self._running_commands.has_ended(running):
            return
        transfer = self._running_commands.transfer_of(running.call.ref)
        if transfer is not None and transfer is not running:
            await asyncio.shield(transfer.asked)  # this acts on a transfer that is still being asked for
        refusal = self._checks.check_again(command)
        if refusal is not None:
            self._running_commands.journal(running, refusal)
            self._running_commands.report(running, "rejected", refusal.reason)
            return
        delay = self._describe_delay(command, running)
        self._running_commands.journal(running, Event("action", command.op, None, delay))
        outcome = await self._pbx_requests.ask_for_operation(
            command.op, running.call, command.terminal.context, command.number
        )
        running.note_answer()
        has_no_end = running.operation.ends not in FINAL_STATES  # else it is done once it is accepted
        state = "done" if outcome.state == "accepted" and has_no_end else outcome.state
        self._running_commands.report(running, state, outcome.reason)

    def _describe_delay(self, command: Command, running: RunningCommand) -> dict | None:
        """Return the detail of the action's line: whether the PBX is asked before the journal has the command."""
        if running.recorded is None or running.recorded.is_on_disk:
            return None
        structlog.get_logger().warning(
            "carried-out-before-journalled", tid=command.terminal.tid, id=command.id, op=command.op
        )
        return {"journalled": "later"}

    async def _run(self, work: Coroutine) -> None:
        """Wait for work, and count it as being with the PBX meanwhile."""
        task = cast(asyncio.Task, asyncio.current_task())
        self._running.add(task)
        try:
            await work
        finally:
            self._running.discard(task)
