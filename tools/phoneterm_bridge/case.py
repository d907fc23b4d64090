"""One command being decided: who asks for what. Does not check anything."""

from dataclasses import dataclass

from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.store.records import TerminalRecord


@dataclass(frozen=True)
class Case:
    """A command of a terminal; `fields` are those of the decoded message."""

    terminal: TerminalRecord
    fields: dict

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

    def timeline(self, reason: str | None) -> list[Event]:
        """Return the first lines of the command's timeline: the verdict, and the result if it was refused."""
        if reason is None:
            return [("check", "passed", None)]
        return [("check", "refused", reason), ("result", "rejected", reason)]
