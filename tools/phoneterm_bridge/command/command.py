"""One command being decided: who asks for what, and the verdict of each check. Does not check anything."""

from phoneterm_bridge.pbx.port import Destination
from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.store.records import TerminalRecord


class Command:
    """A command of a terminal.

    fields: those of the decoded message; some are also attributes. id: unique per terminal. ref: the phone's call when
    the code was keyed, None if it knew none. first_ms, since_ms: the times of the first key and of the complete
    command, counted from the session's arrival. trail: the verdicts so far. destination: what the PBX says of the
    number, once it was asked.
    """

    __slots__ = (
        "destination",
        "fields",
        "first_ms",
        "id",
        "number",
        "op",
        "received_ms",
        "ref",
        "since_ms",
        "terminal",
        "trail",
    )

    def __init__(self, terminal: TerminalRecord, fields: dict, received_ms: int | None = None) -> None:
        self.terminal = terminal
        self.fields = fields
        self.id: str = fields["id"]
        self.op: str = fields["op"]
        self.number: str | None = fields["number"]
        self.ref: str | None = fields["call"]
        self.first_ms: int = fields["first_ms"]
        self.since_ms: int = fields["since_ms"]
        self.received_ms = wall_clock.now_ms() if received_ms is None else received_ms
        self.trail: list[tuple] = []
        self.destination: Destination | None = None

    def add_verdict(self, check: str, reason: str | None, cause: str | None = None) -> str | None:
        """Note the verdict of one check (None: passed), with its cause if there is more than the reason; return it."""
        verdict = (check, reason or "ok", max(wall_clock.now_ms() - self.received_ms, 0))
        self.trail.append((*verdict, cause) if cause else verdict)
        return reason

    def checked_again(self) -> "Command":
        """Return a copy of the command for the repeated checks."""
        return Command(self.terminal, self.fields, self.received_ms)

    def verdict(self, reason: str | None) -> Event:
        """Return the journal line about the checks: each verdict, the ms since reception, and the cause if any."""
        return Event("check", "refused" if reason else "passed", reason, self.trail)

    def timeline(self, reason: str | None, first_key_age_ms: int | None) -> list[Event]:
        """Return the first lines of the command's timeline: the keys, the verdict, and the result if refused."""
        lines = [self.verdict(reason)]
        if first_key_age_ms is not None:
            took = {"took_ms": self.since_ms - self.first_ms}
            at_ms = min(self.received_ms, wall_clock.now_ms() - first_key_age_ms)
            lines.insert(0, Event("keyed", "keys", None, took, at_ms))
        return lines if reason is None else [*lines, Event("result", "rejected", reason)]
