"""Every check of a command, in order, up to the first refusal. Does not journal, answer or ask the PBX to act.

The order: session, fresh, rate, permitted, which call, number known, class by the dialplan, site
limits. Each refusal is a wire reason, and
each check notes its verdict in the command. If a command passes, its call is taken: a second transfer of it is refused
from then on.
Immediately before the action, `check_again` repeats the checks whose result may have changed.
"""

from collections.abc import Callable
from datetime import datetime

from phoneterm_bridge.command.command import Command
from phoneterm_bridge.command.pbx_requests import PbxRequests
from phoneterm_bridge.command.running_commands import RunningCommand, RunningCommands
from phoneterm_bridge.pbx.calls import choose_call, refusal_of_call
from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.pbx.port import Call, Pbx
from phoneterm_bridge.policy.limits import Limits
from phoneterm_bridge.policy.rules import Policy
from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.terminals.host_clock import HostClock
from phoneterm_bridge.terminals.sessions import Session, Sessions


class Checks:
    """The checks of all terminals' commands. `clock` is the sessions' clock, `today` the wall clock."""

    def __init__(
        self,
        directory: LiveDirectory,
        sessions: Sessions,
        policy: Policy,
        limits: Limits,
        pbx: Pbx,
        pbx_requests: PbxRequests,
        running_commands: RunningCommands,
        clock: HostClock | None = None,
        today: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._policy = policy
        self._limits = limits
        self._pbx = pbx
        self._pbx_requests = pbx_requests
        self._running_commands = running_commands
        self._clock = clock or HostClock()
        self._today = today

    async def check(self, command: Command) -> tuple[RunningCommand | None, str | None]:
        """Return the call that was taken, if any, and the reason to refuse the command, if any."""
        session = self.session_of(command)
        reason = (
            self._refuse_by_time(command, session) or self._refuse_by_rate(command) or self._refuse_by_right(command)
        )
        if session is None or reason is not None:
            return None, reason
        call = self._find_call(command, session)
        if isinstance(call, str):
            return None, command.add_verdict("call", call, self._cause_of(command, call))
        command.add_verdict("call", None)
        running = self._running_commands.begin(command.terminal.tid, command.id, command.op, call)
        reason = await self._refuse_by_number(command) or await self._refuse_by_dialplan(command)
        return running, reason or self._refuse_by_site(command, running)

    def check_again(self, command: Command) -> Event | None:
        """Return a verdict if a command that had passed must no longer be carried out."""
        again = command.checked_again()
        reason = self._refuse_by_time(again, self.session_of(again)) or self._refuse_by_right(again)
        return None if reason is None else again.verdict(reason)

    def session_of(self, command: Command) -> Session | None:
        """Return the live session that the command belongs to."""
        session = self._sessions.live(command.terminal.tid)
        return session if session is not None and session.owns(command.id) else None

    def first_key_age_ms(self, command: Command) -> int | None:
        """Return how long ago the first key was pressed; None without the session, on which its time is based."""
        session = self.session_of(command)
        return None if session is None else int(session.age_ms(command.first_ms, self._clock.now_s()))

    def _refuse_by_time(self, command: Command, session: Session | None) -> str | None:
        """It must belong to the live session, and be neither old nor from the future.

        A terminal whose clock does not fit is noted: it gets a new session.
        """
        tid, now_s = command.terminal.tid, self._clock.now_s()
        if session is None:
            live = self._sessions.live(tid)
            if live is None or not live.has_replaced(command.id):
                return command.add_verdict("session", "bad-session")
            self._sessions.note_apart(tid)  # perhaps it was never told of the new one
            return command.add_verdict("fresh", "stale", "clocks-apart")
        command.add_verdict("session", None)
        if not session.is_fresh(command.since_ms, now_s):
            if not session.is_ahead(command.since_ms, now_s):
                return command.add_verdict("fresh", "stale")
            self._sessions.note_apart(tid)
            return command.add_verdict("fresh", "stale", "clocks-apart")
        return command.add_verdict("fresh", None if command.first_ms <= command.since_ms else "stale")

    def _refuse_by_rate(self, command: Command) -> str | None:
        """A terminal may not ask more often than a person can."""
        is_over = self._limits.count_command(command.terminal.tid, self._clock.steady_s())
        return command.add_verdict("rate", "rate" if is_over else None)

    def _refuse_by_right(self, command: Command) -> str | None:
        """The directory must now allow the terminal to do it, and the PBX must be able to."""
        terminal = self._directory.find(command.terminal.tid)
        if terminal is None:
            return command.add_verdict("permission", "permission", "revoked")
        if self._directory.snapshot.source_trouble:
            command.add_verdict("told", None, "as-last-told")
        refusal = self._policy.refusal(terminal, command.op, command.number, self._today())
        if refusal is not None:
            return command.add_verdict("permission", refusal.reason, refusal.cause)
        is_possible = find_operation(command.op) is not None and command.op in self._pbx.operations
        verdict = None if is_possible else "unsupported"
        return command.add_verdict("permission", verdict, self._pbx.remark_on(command.op))

    def _find_call(self, command: Command, session: Session) -> Call | str:
        """Exactly one call must match, and no other command may be acting on it."""
        if not self._pbx.is_available:
            return "pbx-unreachable"
        first_key_s = session.at_s(command.first_ms) - self._clock.ahead_s  # on the steady clock, as calls are
        call = choose_call(self._pbx.calls(command.terminal.endpoint), command.ref, first_key_s)
        if isinstance(call, str):
            return self._pbx.why_ended(command.ref) if call == "no-call" and command.ref is not None else call
        is_busy = self._running_commands.transfer_of(call.ref) is not None
        return refusal_of_call(call, command.op, command.number, is_busy, self._numbers_of(call)) or call

    def _cause_of(self, command: Command, reason: str) -> str | None:
        """Return what there is to say beyond the reason why no call can be transferred."""
        if reason == "destination":
            return "talking-to-it"
        is_in_conference = any(call.is_in_conference for call in self._pbx.calls(command.terminal.endpoint))
        return "conference" if reason == "no-call" and is_in_conference else None

    def _numbers_of(self, call: Call) -> set[str]:
        """Return the numbers of the other party's lines: the directory's, or else those that are named like them."""
        found = set()
        for line in call.lines:
            records = map(self._directory.find, self._directory.at_endpoint(line))
            found |= {record.extension for record in records if record is not None} or {line}
        return found

    async def _refuse_by_number(self, command: Command) -> str | None:
        """If the operation takes a number, it must exist in the terminal's dialplan context."""
        operation = find_operation(command.op)
        if operation is None:
            return command.add_verdict("number", "unsupported")
        if not operation.takes_number or command.number is None:
            return None
        return command.add_verdict(
            "number", await self._pbx_requests.ask_for_number(command.terminal.context, command.number)
        )

    async def _refuse_by_dialplan(self, command: Command) -> str | None:
        """What the PBX says of the number may be stricter than its digits; both are noted."""
        operation, number = find_operation(command.op), command.number
        if operation is None or not operation.takes_number or number is None:
            return None
        command.destination = await self._pbx_requests.ask_for_destination(command.terminal.context, number)
        refusal = self._policy.refusal_by_dialplan(command.terminal, number, command.destination, self._today())
        command.add_verdict("witnesses", None, self._policy.describe_number(number, command.destination))
        if refusal is None:
            return None
        return command.add_verdict("class", refusal.reason, refusal.cause)

    def _refuse_by_site(self, command: Command, running: RunningCommand) -> str | None:
        """All terminals together may send only a limited number of callers outside; this one counts from now on."""
        if not self._policy.is_external(command.op, command.number, command.destination):
            return None
        cause = self._limits.count_external(self._clock.steady_s(), self._running_commands.external_count)
        running.is_external = cause is None
        return command.add_verdict("site", "rate" if cause else None, cause)
