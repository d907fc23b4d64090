"""What a terminal is sent after hello, and later when permissions and calls change. Does not take commands.

The answer to hello is, in this order: permissions, configuration, state of the call, and last the session. So a
terminal with a session knows everything.
"""

import time
from collections.abc import Callable

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
        now_s: Callable[[], float] = time.monotonic,
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
        self._now_s = now_s
        self._told_calls: dict[str, dict] = {}
        self.crash_reports = CrashReports(now_s)
        self.deliveries = Deliveries(troubles, now_s, resend_s)

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
        structlog.get_logger().info("hello", **words)
        session = self._sessions.mint(terminal.tid, hello["boot"], self._now_s())
        self._sightings.greet(terminal.tid, hello)
        self.deliveries.begin(terminal.tid)
        self._tell_permissions(terminal)
        self._tell_config(terminal.tid)
        self._told_calls.pop(terminal.tid, None)
        self._tell_call(terminal)
        self._publisher.say_session(session)

    def see_off(self, tid: str, boot: str | None = None) -> None:
        """End the terminal's session (only that boot's, if given)."""
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

    def tell_calls(self, endpoint: str) -> None:
        """Tell the terminals of an endpoint the state of its call, if it has changed since they were last told."""
        for tid in self._directory.at_endpoint(endpoint):
            terminal = self._directory.find(tid)
            if terminal is not None and self._sessions.live(tid) is not None:
                self._tell_call(terminal)

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
