"""What a terminal is sent after hello, and later when permissions and calls change. Does not take commands.

The answer to hello is, in this order: permissions, configuration, state of the call, and last the session. So a
terminal with a session knows everything. When clocks ran apart, terminals get a new session without asking for it.
"""

import asyncio

import structlog
from phoneterm.core import messages

from phoneterm_bridge.pbx.calls import describe_calls
from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.policy.rules import Policy
from phoneterm_bridge.settings.timing import USUAL
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.troubles import CONFIG, PERMISSIONS
from phoneterm_bridge.terminals.crash_reports import CrashReports
from phoneterm_bridge.terminals.deliveries import Deliveries
from phoneterm_bridge.terminals.host_clock import HostClock
from phoneterm_bridge.terminals.line_watch import LineWatch
from phoneterm_bridge.terminals.publisher import TerminalPublisher
from phoneterm_bridge.terminals.sessions import Sessions
from phoneterm_bridge.terminals.sightings import Sightings
from phoneterm_bridge.terminals.troubles import Troubles


class TerminalUpdates:
    """Keeps every terminal that said hello up to date. `config` are the fields of the config message."""

    def __init__(
        self,
        directory: LiveDirectory,
        sessions: Sessions,
        publisher: TerminalPublisher,
        pbx: Pbx,
        policy: Policy,
        config: dict,
        troubles: Troubles,
        sightings: Sightings,
        line_watch: LineWatch,
        clock: HostClock | None = None,
        resend_s: float = USUAL.resend_s,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._publisher = publisher
        self._pbx = pbx
        self._policy = policy
        self._config = config
        self._troubles = troubles
        self._sightings = sightings
        self._clock = clock or HostClock()
        self._jumps = self._clock.jumps
        self._told_calls: dict[str, dict] = {}
        self._line_watch = line_watch
        self._waiting: dict[str, tuple[str, asyncio.TimerHandle]] = {}  # tid -> boot, and when its hello is answered
        self.crash_reports = CrashReports(self._clock.steady_s)
        self.deliveries = Deliveries(troubles, self._clock.steady_s, resend_s)

    def greet(self, terminal: TerminalRecord, hello: dict) -> None:
        """Answer a hello with a new session and all that the terminal needs to know; not in safe mode."""
        if self.crash_reports.add_hello(terminal.tid, hello):
            self.see_off(terminal.tid)
            return
        lowest, highest = hello["wire"]
        words = {"tid": terminal.tid, "boot": hello["boot"], "firmware": hello["fw"], "board": hello["board"]}
        if not lowest <= messages.VERSION <= highest:
            structlog.get_logger().warning("terminal-speaks-another-version", lowest=lowest, highest=highest, **words)
            return
        self._drop_waiting(terminal.tid)
        wait_s = self._line_watch.note_boot(terminal.tid, hello["boot"])
        if wait_s:
            structlog.get_logger().info("hello-waits", seconds=wait_s, **words)
            timer = asyncio.get_running_loop().call_later(wait_s, self._answer_late, terminal.tid, hello)
            self._waiting[terminal.tid] = hello["boot"], timer
        else:
            structlog.get_logger().info("hello", **words)
            self._answer(terminal, hello)

    def _answer_late(self, tid: str, hello: dict) -> None:
        """Answer a hello that has waited, if the terminal may still use it."""
        del self._waiting[tid]
        terminal = self._directory.find(tid)
        if terminal is not None:
            self._answer(terminal, hello)

    def _drop_waiting(self, tid: str, boot: str | None = None) -> None:
        """Do not answer a hello that waits (only that boot's, if given)."""
        if tid in self._waiting and boot in (None, self._waiting[tid][0]):
            self._waiting.pop(tid)[1].cancel()

    def _answer(self, terminal: TerminalRecord, hello: dict) -> None:
        session = self._sessions.mint(terminal.tid, hello["boot"], self._clock.now_s())
        self._sightings.greet(terminal.tid, hello)
        self.deliveries.begin(terminal.tid)
        self._tell_permissions(terminal)
        self._tell_config(terminal.tid)
        self._told_calls.pop(terminal.tid, None)
        self._tell_call(terminal)
        self._publisher.say_session(session)

    def follow_clock(self) -> None:
        """Give new sessions to all terminals if the host's clocks ran apart, else to those whose clock does not fit.

        The old sessions' ages are based on a time that may be wrong now. A command of theirs that still comes is stale.
        """
        self._clock.now_s()
        apart = self._sessions.pop_apart()
        if self._jumps != self._clock.jumps:
            self._jumps, apart = self._clock.jumps, self._sessions.tids()
            structlog.get_logger().warning("host-stood-still-or-clock-set", new_sessions=len(apart))
        for tid in apart:
            self._renew_session(tid)

    async def watch_clock(self, every_s: float) -> None:
        """Look at the clocks for ever."""
        while True:
            await asyncio.sleep(every_s)
            try:
                self.follow_clock()
            except Exception as error:  # the next look must come all the same
                structlog.get_logger().exception("clock-not-followed", error=type(error).__name__)

    def see_off(self, tid: str, boot: str | None = None) -> None:
        """End the terminal's session (only that boot's, if given)."""
        self._drop_waiting(tid, boot)
        if self._sessions.end(tid, boot):
            self.deliveries.end(tid)
            self._sightings.lose(tid)
            structlog.get_logger().info("terminal-gone", tid=tid)

    def silence(self, tid: str) -> None:
        """A revoked terminal left a retained message (its last will, when it was cut off): clear that too."""
        if tid in self._directory.revoked:
            self._publisher.clear(tid)

    def catch_up(self) -> None:
        """The link is back: repeat changes that may have been missed, to terminals with a session and revoked ones."""
        for tid in self._directory.revoked:
            self._publisher.clear(tid)
        for tid in self._sessions.tids():
            terminal = self._directory.find(tid)
            if terminal is not None:
                self._tell_permissions(terminal)
                self._told_calls.pop(tid, None)
                self._tell_call(terminal)
                session = self._sessions.live(tid)
                if session is not None and session.replaced is not None:
                    self._renew_session(tid)  # the terminal did not ask for it, and perhaps never got it

    def tell_changed(self, tids: tuple[str, ...]) -> None:
        """Tell terminals whose record changed what they may do now; revoked ones lose everything."""
        for tid in tids:
            terminal = self._directory.find(tid)
            if terminal is None:
                self._publisher.clear(tid)
                self.see_off(tid)
                self._troubles.forget(tid)
                self._sightings.forget(tid)
            else:
                self._tell_permissions(terminal)

    def on_ack(self, terminal: TerminalRecord, ack: dict) -> None:
        """A terminal has said which permissions and which configuration are in force there."""
        words = {what: ack[what] for what in (PERMISSIONS, CONFIG)}
        structlog.get_logger().info("in-force", tid=terminal.tid, error=ack["error"], **words)
        self.deliveries.on_ack(terminal.tid, words, ack["error"])

    def send_again(self) -> None:
        """Send again what terminals have not confirmed, if it is due."""
        for tid, missing in self.deliveries.pop_due().items():
            terminal = self._directory.find(tid)
            if terminal is not None and PERMISSIONS in missing:
                self._tell_permissions(terminal)
            if terminal is not None and CONFIG in missing:
                self._tell_config(tid)

    def told_call(self, tid: str) -> dict | None:
        """Return the state of its call that a terminal was told last; None if it was told none."""
        return self._told_calls.get(tid)

    def tell_calls(self, endpoint: str) -> None:
        """Tell the terminals of an endpoint the state of its call, if it has changed since they were last told."""
        for tid in self._directory.at_endpoint(endpoint):
            terminal = self._directory.find(tid)
            if terminal is not None and self._sessions.live(tid) is not None:
                self._tell_call(terminal)

    def _renew_session(self, tid: str) -> None:
        session = self._sessions.renew(tid, self._clock.now_s())
        if session is not None:
            structlog.get_logger().info("session-renewed", tid=tid)
            self._publisher.say_session(session)

    def _tell_permissions(self, terminal: TerminalRecord) -> None:
        self._publisher.say_permissions(terminal, self._policy.classes_for(terminal))
        self.deliveries.mark_sent(terminal.tid, PERMISSIONS, self._directory.revision)

    def _tell_config(self, tid: str) -> None:
        self._publisher.say_config(tid, self._config)
        self.deliveries.mark_sent(tid, CONFIG, self._config["rev"])

    def _tell_call(self, terminal: TerminalRecord) -> None:
        fields = describe_calls(self._pbx.calls(terminal.endpoint))
        if self._told_calls.get(terminal.tid) != fields:
            self._told_calls[terminal.tid] = fields
            self._publisher.say_call(terminal.tid, fields)
