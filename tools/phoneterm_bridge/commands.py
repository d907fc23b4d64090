"""The path of one command, from an authentic message to the PBX: what must happen, in order, and nothing else.

Does not read MQTT payloads, does not know the single checks (gate does) and does not follow what comes after the PBX
accepted (transfers does). The order: new, all checks, journal (durably), checks again, PBX. Nothing is queued and
nothing is tried twice: what may have happened but was not confirmed is "unknown".
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import cast

import structlog

from phoneterm_bridge.afterwards import Afterwards
from phoneterm_bridge.asking import Asking
from phoneterm_bridge.case import Case
from phoneterm_bridge.gate import Gate
from phoneterm_bridge.store.journal import Event, Journal, Recorded
from phoneterm_bridge.terminals.speaker import Speaker
from phoneterm_bridge.transfers import Following, Transfers


class Commands:
    """Takes the commands of all terminals."""

    def __init__(
        self,
        gate: Gate,
        asking: Asking,
        journal: Journal,
        transfers: Transfers,
        speaker: Speaker,
        afterwards: Afterwards,
    ) -> None:
        self._gate = gate
        self._asking = asking
        self._journal = journal
        self._transfers = transfers
        self._speaker = speaker
        self._afterwards = afterwards
        self._is_open = True
        self._deciding: set[tuple[str, str]] = set()
        self._running: set[asyncio.Task] = set()

    @property
    def in_flight(self) -> int:
        """How many commands are with the PBX."""
        return len(self._running)

    async def take(self, case: Case, acknowledge: Callable[[], None]) -> None:
        """Decide on one authentic command and have it carried out; `acknowledge` as soon as it is decided."""
        key = (case.terminal.tid, case.id)
        if not self._is_open or key in self._deciding:
            return
        following = None
        self._deciding.add(key)
        self._afterwards.urgent += 1
        try:
            if not await self._is_repeated(case):
                following = await self._decide(case)
        finally:
            self._deciding.discard(key)
            asyncio.get_running_loop().call_soon(self._end_urgency)  # once the PBX has been asked, if it is
        acknowledge()
        if following is not None:
            await self._run(self._carry_out(case, following))

    def close(self) -> None:
        """Take no more commands."""
        self._is_open = False

    async def finish(self, timeout_s: float) -> None:
        """Wait for the commands that are with the PBX."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)

    async def _decide(self, case: Case) -> Following | None:
        """Check and journal a new command; return what is to be carried out, or None when it was refused."""
        following, reason = await self._gate.check(case)
        recorded, reason = await self._record(case, reason)
        if following is not None and recorded is not None and reason is None:
            following.recorded = recorded
            return following
        if following is not None:
            self._transfers.drop(following)
        if reason is not None:
            structlog.get_logger().info("refused", tid=case.terminal.tid, id=case.id, op=case.op, reason=reason)
            self._speaker.say_result(case.terminal.tid, case.id, "rejected", reason)
        return None

    async def _record(self, case: Case, reason: str | None) -> tuple[Recorded | None, str | None]:
        """Journal a command durably; return what was written, and the reason to refuse it with, if any."""
        try:
            events = case.timeline(reason, self._gate.first_key_age_ms(case))
            recorded = await self._journal.open(case.terminal, case.fields, events, case.received_ms)
        except Exception as error:  # what cannot be journalled is not done, whatever the cause
            structlog.get_logger().error("journal-not-written", error=type(error).__name__)
            return None, reason or "unavailable"
        return recorded, reason

    async def _is_repeated(self, case: Case) -> bool:
        """Answer a command that has come before with its recorded result; the live session knows all that have."""
        tid = case.terminal.tid
        known = self._journal.remembered(tid, case.id)
        if known is None:
            session = self._gate.session_of(case)
            if session is not None and session.take(case.id):
                return False
            known = await self._journal.look_up(case.terminal, case.id)
            if known is None and session is None:
                return False  # for the gate to refuse
        state: str | None = "rejected"
        reason: str | None = "duplicate"
        if known is not None and (known.op, known.number) == (case.op, case.number):
            state, reason = known.state, known.reason
        structlog.get_logger().info("command-repeated", tid=tid, id=case.id, state=state)
        if state is not None:
            self._speaker.say_result(tid, case.id, state, reason)
        return True

    async def _carry_out(self, case: Case, following: Following) -> None:
        """Ask the PBX, once, if nothing has changed since the checks."""
        transfer = self._transfers.transfer_of(following.call.ref)
        if transfer is not None and transfer is not following:
            await asyncio.shield(transfer.asked)  # this acts on a transfer that is still being asked for
        refusal = self._gate.check_again(case)
        if refusal is not None:
            self._transfers.note(following, refusal)
            self._transfers.report(following, "rejected", refusal.reason)
            return
        self._transfers.note(following, Event("action", case.op))
        outcome = await self._asking.ask_for_operation(case.op, following.call, case.terminal.context, case.number)
        following.note_answer()
        self._transfers.report(following, outcome.state, outcome.reason)
        if outcome.state == "accepted" and case.op == "swap":
            self._transfers.report(following, "done", None)

    def _end_urgency(self) -> None:
        self._afterwards.urgent -= 1

    async def _run(self, work: Coroutine) -> None:
        """Wait for work, which counts as being with the PBX meanwhile."""
        task = cast(asyncio.Task, asyncio.current_task())
        self._running.add(task)
        try:
            await work
        finally:
            self._running.discard(task)
