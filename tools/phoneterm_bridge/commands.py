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
from phoneterm_bridge.policy import TRANSFERS, Policy
from phoneterm_bridge.roster import Roster
from phoneterm_bridge.sessions import Session, Sessions
from phoneterm_bridge.speaker import Speaker
from phoneterm_bridge.store.journal import Journal, Recorded
from phoneterm_bridge.transfers import Following, Transfers


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
        found = self._refuse_by_time(case) or self._refuse_by_right(case) or self._take_call(case)
        following = None if isinstance(found, str) else found
        reason = found if isinstance(found, str) else await self._refuse_by_number(case)
        recorded, reason = await self._record(case, reason)
        if following is not None and recorded is not None and reason is None:
            following.recorded = recorded
            self._run(self._carry_out(case, following))
            return
        if following is not None:
            self._transfers.drop(following)
        if reason is not None:
            structlog.get_logger().info("refused", tid=case.terminal.tid, id=case.id, op=case.op, reason=reason)
            self._speaker.say_result(case.terminal.tid, case.id, "rejected", reason)

    async def _record(self, case: Case, reason: str | None) -> tuple[Recorded | None, str | None]:
        """Journal a command durably; return what was written, and the reason to refuse it with, if any."""
        try:
            recorded = await self._journal.open(case.terminal, case.fields, case.timeline(reason))
        except Exception as error:  # what cannot be journalled is not done, whatever the cause
            structlog.get_logger().error("journal-not-written", error=type(error).__name__)
            return None, reason or "unavailable"
        return recorded, None if recorded is None else reason  # None: another bridge has taken it

    async def _is_repeated(self, case: Case) -> bool:
        """Answer a command that the journal knows with its recorded result."""
        tid = case.terminal.tid
        known = self._journal.remembered(tid, case.id)
        if known is None and self._session_of(case) is None:
            known = await self._journal.look_up(tid, case.id)
        if known is None:
            return False
        is_same = (known.op, known.number) == (case.op, case.number)
        state, reason = (known.state, known.reason) if is_same else ("rejected", "duplicate")
        structlog.get_logger().info("command-repeated", tid=tid, id=case.id, state=state)
        if state is not None:
            self._speaker.say_result(tid, case.id, state, reason)
        return True

    def _session_of(self, case: Case) -> Session | None:
        """Return the live session that the command belongs to."""
        session = self._sessions.live(case.terminal.tid)
        return session if session is not None and session.owns(case.id) else None

    def _refuse_by_time(self, case: Case) -> str | None:
        """It must belong to the live session, and be neither old nor from the future."""
        session = self._session_of(case)
        if session is None:
            return "bad-session"
        is_fresh = session.is_fresh(case.since_ms, self._now_s()) and case.first_ms <= case.since_ms
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

    def _take_call(self, case: Case) -> Following | str:
        """Exactly one call must be meant, with nothing else being done to it; from here on it is taken."""
        session = self._session_of(case)
        if session is None:
            return "bad-session"
        if not self._pbx.is_available:
            return "pbx-unreachable"
        call = choose_call(self._pbx.calls(case.terminal.endpoint), case.ref, session.at_s(case.first_ms))
        if isinstance(call, str):
            return call
        is_busy = self._transfers.transfer_of(call.ref) is not None
        reason = refusal_of_call(call, case.op, case.number, is_busy)
        return reason or self._transfers.begin(case.terminal.tid, case.id, case.op, call)

    async def _refuse_by_number(self, case: Case) -> str | None:
        """A transfer's number must exist in the terminal's dialplan context."""
        if case.op not in TRANSFERS or case.number is None:
            return None
        return await ask_for_number(self._pbx, case.terminal.context, case.number)

    async def _carry_out(self, case: Case, following: Following) -> None:
        """Ask the PBX, once, if nothing has changed since the checks."""
        transfer = self._transfers.transfer_of(following.call.ref)
        if transfer is not None and transfer is not following:
            await transfer.asked.wait()  # complete, cancel or swap keyed while the transfer is still being asked for
        reason = self._refuse_by_time(case) or self._refuse_by_right(case)
        if reason is not None:
            self._transfers.report(following, "rejected", reason)
            return
        self._transfers.note_action(following)
        outcome = await ask_for_operation(self._pbx, case.op, following.call, case.terminal.context, case.number)
        following.asked.set()
        self._transfers.report(following, outcome.state, outcome.reason)
        if outcome.state == "accepted" and case.op == "swap":
            self._transfers.report(following, "done", None)

    def _run(self, work: Coroutine) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
