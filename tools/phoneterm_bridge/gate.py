"""Every check of a command, in order, up to the first refusal. Does not journal, answer or ask the PBX to act.

The order: session, fresh, rate, permitted, which call, number known, site limits; each refusal is a wire reason, and
each check notes its verdict in the case. A call that passes is taken: a second transfer of it is refused from then on.
`check_again` repeats, immediately before the action, what may have changed meanwhile, if anything did that it rests on.
"""

import time
from collections.abc import Callable
from datetime import datetime

from phoneterm_bridge.asking import Asking
from phoneterm_bridge.calls import choose_call, refusal_of_call
from phoneterm_bridge.case import Case
from phoneterm_bridge.pbx_port import Call, Pbx
from phoneterm_bridge.policy.limits import Limits
from phoneterm_bridge.policy.rules import TRANSFERS, Policy
from phoneterm_bridge.roster import Roster
from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.terminals.sessions import Session, Sessions
from phoneterm_bridge.transfers import Following, Transfers


class Gate:
    """The checks of all terminals' commands. `now_s` is a monotonic clock, `today` the clock on the wall."""

    def __init__(
        self,
        roster: Roster,
        sessions: Sessions,
        policy: Policy,
        limits: Limits,
        pbx: Pbx,
        asking: Asking,
        transfers: Transfers,
        now_s: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._roster = roster
        self._sessions = sessions
        self._policy = policy
        self._limits = limits
        self._pbx = pbx
        self._asking = asking
        self._transfers = transfers
        self._now_s = now_s
        self._today = today

    async def check(self, case: Case) -> tuple[Following | None, str | None]:
        """Return the call that is taken, once one is, and the reason to refuse the command with, if any."""
        session = self.session_of(case)
        case.basis = self._basis_of(case)
        reason = self._refuse_by_time(case, session) or self._refuse_by_rate(case) or self._refuse_by_right(case)
        if session is None or reason is not None:
            return None, reason
        call = self._find_call(case, session)
        if isinstance(call, str):
            return None, case.note("call", call, "talking-to-it" if call == "destination" else None)
        case.note("call", None)
        following = self._transfers.begin(case.terminal.tid, case.id, case.op, call)
        return following, await self._refuse_by_number(case) or self._refuse_by_site(case, following)

    def check_again(self, case: Case) -> Event | None:
        """Return the verdict that a command which passed must not be carried out any more, if so."""
        session = self._sessions.live(case.terminal.tid)
        if session is not None and case.basis == self._basis_of(case) and self._is_fresh(case, session):
            return None
        again = case.checked_again()
        reason = self._refuse_by_time(again, self.session_of(again)) or self._refuse_by_right(again)
        return None if reason is None else again.verdict(reason)

    def session_of(self, case: Case) -> Session | None:
        """Return the live session that the command belongs to."""
        session = self._sessions.live(case.terminal.tid)
        return session if session is not None and session.owns(case.id) else None

    def first_key_age_ms(self, case: Case) -> int | None:
        """Return how long ago the first key was pressed; None without the session that it is counted from."""
        session = self.session_of(case)
        return None if session is None else int(session.age_ms(case.first_ms, self._now_s()))

    def _refuse_by_time(self, case: Case, session: Session | None) -> str | None:
        """It must belong to the live session, and be neither old nor from the future."""
        if session is None:
            return case.note("session", "bad-session")
        case.note("session", None)
        return case.note("fresh", None if self._is_fresh(case, session) else "stale")

    def _is_fresh(self, case: Case, session: Session) -> bool:
        return session.is_fresh(case.since_ms, self._now_s()) and case.first_ms <= case.since_ms

    def _basis_of(self, case: Case) -> tuple:
        """Return what the verdicts on session and permission rest on: while it is the same, so are they."""
        tid = case.terminal.tid
        return self._sessions.live(tid), self._roster.find(tid), self._today().minute  # office hours are in minutes

    def _refuse_by_rate(self, case: Case) -> str | None:
        """A terminal may not ask more often than a person can."""
        is_over = self._limits.count_command(case.terminal.tid, self._now_s())
        return case.note("rate", "rate" if is_over else None)

    def _refuse_by_right(self, case: Case) -> str | None:
        """The terminal must be allowed to do it, by the directory as it is now, and the PBX must be able to."""
        terminal = self._roster.find(case.terminal.tid)
        if terminal is None:
            return case.note("permission", "permission", "revoked")
        refusal = self._policy.refusal(terminal, case.op, case.number, self._today())
        if refusal is not None:
            return case.note("permission", refusal.reason, refusal.cause)
        return case.note("permission", None if case.op in self._pbx.operations else "unsupported")

    def _find_call(self, case: Case, session: Session) -> Call | str:
        """Exactly one call must be meant, with nothing else being done to it."""
        if not self._pbx.is_available:
            return "pbx-unreachable"
        call = choose_call(self._pbx.calls(case.terminal.endpoint), case.ref, session.at_s(case.first_ms))
        if isinstance(call, str):
            return self._pbx.why_ended(case.ref) if call == "no-call" and case.ref is not None else call
        is_busy = self._transfers.transfer_of(call.ref) is not None
        return refusal_of_call(call, case.op, case.number, is_busy) or call

    async def _refuse_by_number(self, case: Case) -> str | None:
        """A transfer's number must exist in the terminal's dialplan context."""
        if case.op not in TRANSFERS or case.number is None:
            return None
        return case.note("number", await self._asking.ask_for_number(case.terminal.context, case.number))

    def _refuse_by_site(self, case: Case, following: Following) -> str | None:
        """All terminals together may send only so many callers outside; this one counts from here on."""
        if not self._policy.is_external(case.op, case.number):
            return None
        cause = self._limits.count_external(self._now_s(), self._transfers.external_count)
        following.is_external = cause is None
        return case.note("site", "rate" if cause else None, cause)
