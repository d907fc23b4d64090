"""One command being decided: who asks for what, and what each check said. Does not check anything."""

import time
from dataclasses import dataclass, field

from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.store.records import TerminalRecord


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Case:
    """A command of a terminal; `fields` are those of the decoded message, `trail` what was checked so far."""

    terminal: TerminalRecord
    fields: dict
    received_ms: int = field(default_factory=_now_ms)
    trail: list[tuple] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The command's id, unique per terminal."""
        return self.fields["id"]

    @property
    def op(self) -> str:
        """The operation."""
        return self.fields["op"]

    @property
    def number(self) -> str | None:
        """The number; only transfers have one."""
        return self.fields["number"]

    @property
    def ref(self) -> str | None:
        """The reference of the call the phone was in when the code was keyed."""
        return self.fields["call"]

    @property
    def first_ms(self) -> int:
        """When the first key happened, counted from the session's arrival."""
        return self.fields["first_ms"]

    @property
    def since_ms(self) -> int:
        """When the command was complete, counted from the session's arrival."""
        return self.fields["since_ms"]

    def note(self, check: str, reason: str | None, cause: str | None = None) -> str | None:
        """Remember the verdict of one check (None: passed), with its cause where the reason is not all; return it."""
        verdict = (check, reason or "ok", _now_ms() - self.received_ms)
        self.trail.append((*verdict, cause) if cause else verdict)
        return reason

    def checked_again(self) -> "Case":
        """Return the case as it is before the checks that are made once more."""
        return Case(self.terminal, self.fields, self.received_ms)

    def verdict(self, reason: str | None) -> Event:
        """Return the line on the checks: each with its verdict, the ms since the reception, and the cause if any."""
        return Event("check", "refused" if reason else "passed", reason, self.trail)

    def timeline(self, reason: str | None, first_key_age_ms: int | None) -> list[Event]:
        """Return the first lines of the command's timeline: the keys, the verdict, and the result if refused."""
        lines = [self.verdict(reason)]
        if first_key_age_ms is not None:
            took = {"took_ms": self.since_ms - self.first_ms}
            at_ms = min(self.received_ms, _now_ms() - first_key_age_ms)
            lines.insert(0, Event("keyed", "keys", None, took, at_ms))
        return lines if reason is None else [*lines, Event("result", "rejected", reason)]
