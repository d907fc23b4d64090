"""The path of one command, from an authentic message to the PBX: every check in order, each refusal a wire reason.

Does not read MQTT payloads and does not follow what comes after the PBX accepted (transfers does). The order:
new, session, fresh, permitted, which call, number known, journal (durably), fresh again, PBX. Nothing is queued and
nothing is tried twice: what may have happened but was not confirmed is "unknown".
"""

import asyncio
import time
from collections.abc import Callable, Coroutine

import structlog

from phoneterm_bridge.asking import ask_for_number, ask_for_operation
from phoneterm_bridge.calls import choose_call, refusal_of_call
from phoneterm_bridge.case import Case
from phoneterm_bridge.pbx_port import Pbx
from phoneterm_bridge.policy import Policy
from phoneterm_bridge.roster import Roster
from phoneterm_bridge.sessions import Sessions
from phoneterm_bridge.speaker import Speaker
from phoneterm_bridge.store.journal import Journal, Recorded
from phoneterm_bridge.transfers import Transfers


class Commands:
    """Takes the commands of all terminals. `now_s` is a monotonic clock."""

    def __init__(
        self,
        roster: Roster,
        sessions: Sessions,
        policy: Policy,
        pbx: Pbx,
        journal: Journal,
        transfers: Transfers,
        speaker: Speaker,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster = roster
        self._sessions = sessions
        self._policy = policy
        self._pbx = pbx
        self._journal = journal
        self._transfers = transfers
        self._speaker = speaker
        self._now_s = now_s
        self._is_open = True
        self._deciding: set[tuple[str, str]] = set()
        self._running: set[asyncio.Task] = set()

    async def take(self, case: Case) -> None:
        """Decide on one authentic command; returns once it is in the journal, the PBX is asked after that."""
        key = (case.terminal.tid, case.id)
        if not self._is_open or key in self._deciding:
            return
        self._deciding.add(key)
        try:
            if not await self._is_repeated(case):
                await self._decide(case)
        finally:
            self._deciding.discard(key)

    async def stop(self, timeout_s: float) -> None:
        """Take no more commands, and wait for those that are with the PBX."""
        self._is_open = False
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)

    async def _decide(self, case: Case) -> None:
        reason = self._refuse_by_time(case) or self._refuse_by_right(case) or self._refuse_by_call(case)
        if reason is None and case.is_transfer:
            reason = await ask_for_number(self._pbx, case.terminal.context, case.number or "")
        try:
            recorded = await self._journal.open(case.terminal, case.fields, case.timeline(reason))
        except Exception as error:  # what cannot be journalled is not done, whatever the cause
            structlog.get_logger().error("journal-not-written", error=type(error).__name__)
            self._refuse(case, reason or "unavailable")
            return
        if recorded is None:  # somebody else has it
            self._drop(case)
        elif reason is not None:
            self._refuse(case, reason)
        else:
            case.following.recorded = recorded
            self._run(self._carry_out(case, recorded))

    async def _is_repeated(self, case: Case) -> bool:
        """Answer a command that the journal knows with its recorded result."""
        tid = case.terminal.tid
        known = self._journal.remembered(tid, case.id)
        if known is None and not self._is_of_live_session(case):
            known = await self._journal.look_up(tid, case.id)
        if known is None:
            return False
        is_same = (known.op, known.number) == (case.op, case.number)
        state, reason = (known.state, known.reason) if is_same else ("rejected", "duplicate")
        structlog.get_logger().info("command-repeated", tid=tid, id=case.id, state=state)
        if state is not None:
            self._speaker.say_result(tid, case.id, state, reason)
        return True

    def _is_of_live_session(self, case: Case) -> bool:
        session = self._sessions.live(case.terminal.tid)
        return session is not None and session.owns(case.id)

    def _refuse_by_time(self, case: Case) -> str | None:
        """It must belong to the live session, and be neither old nor from the future."""
        if not self._is_of_live_session(case):
            return "bad-session"
        case.session = self._sessions.live(case.terminal.tid)
        is_fresh = case.session.is_fresh(case.since_ms, self._now_s()) and case.first_ms <= case.since_ms
        return None if is_fresh else "stale"

    def _refuse_by_right(self, case: Case) -> str | None:
        """The terminal must be allowed to do it, by the directory as it is now, and the PBX must be able to."""
        terminal = self._roster.find(case.terminal.tid)
        if terminal is None:
            return "permission"
        reason = self._policy.refusal(terminal, case.op, case.number)
        if reason is None and case.op not in self._pbx.operations:
            return "unsupported"
        return reason

    def _refuse_by_call(self, case: Case) -> str | None:
        """Exactly one call must be meant, with nothing else being done to it; from here on it is taken."""
        if not self._pbx.is_available:
            return "pbx-unreachable"
        call = choose_call(self._pbx.calls(case.terminal.endpoint), case.ref, case.session.at_s(case.first_ms))
        if isinstance(call, str):
            return call
        is_busy = self._transfers.transfer_of(call.ref) is not None
        reason = refusal_of_call(call, case.op, case.number, is_busy)
        if reason is None:
            case.call = call
            case.following = self._transfers.begin(case.terminal, case.id, case.op, call.ref)
        return reason

    async def _carry_out(self, case: Case, recorded: Recorded) -> None:
        """Ask the PBX, once, if nothing has changed since the checks."""
        transfer = self._transfers.transfer_of(case.call.ref)
        if transfer is not None and transfer is not case.following:
            await transfer.asked.wait()  # complete, cancel or swap keyed while the transfer is still being asked for
        reason = self._refuse_by_time(case) or self._refuse_by_right(case)
        if reason is not None:
            self._transfers.report(case.following, "rejected", reason)
            return
        self._journal.append(recorded, "action", case.op)
        outcome = await ask_for_operation(self._pbx, case.op, case.call, case.terminal.context, case.number)
        case.following.asked.set()
        self._transfers.report(case.following, outcome.state, outcome.reason)
        if outcome.state == "accepted" and case.op == "swap":
            self._transfers.report(case.following, "done", None)

    def _refuse(self, case: Case, reason: str) -> None:
        self._drop(case)
        structlog.get_logger().info("refused", tid=case.terminal.tid, id=case.id, op=case.op, reason=reason)
        self._speaker.say_result(case.terminal.tid, case.id, "rejected", reason)

    def _drop(self, case: Case) -> None:
        if case.following is not None:
            self._transfers.drop(case.following)

    def _run(self, work: Coroutine) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
