"""One command being decided: what was asked, and what the checks found so far. Does not check anything itself."""

from dataclasses import dataclass

from phoneterm_bridge.pbx_port import Call
from phoneterm_bridge.policy import TRANSFERS
from phoneterm_bridge.sessions import Session
from phoneterm_bridge.store.journal import Event
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.transfers import Following


@dataclass
class Case:
    """A command of a terminal; `fields` are those of the decoded message."""

    terminal: TerminalRecord
    fields: dict
    session: Session | None = None
    call: Call | None = None
    following: Following | None = None

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

    @property
    def is_transfer(self) -> bool:
        """Say whether this begins a transfer."""
        return self.op in TRANSFERS

    def timeline(self, reason: str | None) -> list[Event]:
        """Return the first lines of the command's timeline: the verdict, and the result if it was refused."""
        if reason is None:
            return [("check", "passed", None)]
        return [("check", "refused", reason), ("result", "rejected", reason)]
