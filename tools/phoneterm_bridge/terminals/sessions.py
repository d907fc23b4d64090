"""Sessions: they bind a command to the present. Does not send them and does not know commands.

A session is created for each hello. It dies with the next hello, with the terminal's offline state of the same boot,
with its revocation, and with the bridge, because it lives in memory only. Times are monotonic seconds.
"""

import secrets
from dataclasses import dataclass, field

from phoneterm_bridge.terminals.replay_window import ReplayWindow

_MOST_AHEAD_MS = 2000


@dataclass(frozen=True)
class Session:
    """One terminal's present session; ids of its commands are `<id>.<sequence number>`."""

    tid: str
    id: str
    boot: str
    sent_s: float
    ttl_ms: int
    come: ReplayWindow = field(default_factory=ReplayWindow, compare=False, repr=False)

    def owns(self, command_id: str) -> bool:
        """Say whether a command id is one of this session."""
        session_id, _, sequence = command_id.partition(".")
        return session_id == self.id and sequence.isdecimal() and sequence.isascii()

    def admit(self, command_id: str) -> bool:
        """Return whether a command of this session comes for the first time, and mark it as seen."""
        return self.come.admit(int(command_id.rpartition(".")[2]))

    def is_fresh(self, since_ms: int, now_s: float) -> bool:
        """Say whether an event `since_ms` after the session arrived is neither too old nor in the future."""
        return -_MOST_AHEAD_MS <= self.age_ms(since_ms, now_s) <= self.ttl_ms

    def age_ms(self, since_ms: int, now_s: float) -> float:
        """Return how long ago an event `since_ms` after the session arrived was."""
        return (now_s - self.sent_s) * 1000 - since_ms

    def at_s(self, since_ms: int) -> float:
        """Return the bridge's time of a moment `since_ms` after the session was sent, never later than the true one."""
        return self.sent_s + since_ms / 1000


class Sessions:
    """The live session of each terminal."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._live: dict[str, Session] = {}

    def mint(self, tid: str, boot: str, now_s: float) -> Session:
        """Start a new session of a terminal; the previous one ends."""
        session = Session(tid, secrets.token_hex(5), boot, now_s, self._ttl_ms)
        self._live[tid] = session
        return session

    def live(self, tid: str) -> Session | None:
        """Return the terminal's session, if it has one."""
        return self._live.get(tid)

    def tids(self) -> tuple[str, ...]:
        """Return the terminals that have a session."""
        return tuple(self._live)

    def end(self, tid: str, boot: str | None = None) -> bool:
        """End a terminal's session (only the one of this boot, if given); return whether there was one."""
        session = self._live.get(tid)
        if session is None or (boot is not None and session.boot != boot):
            return False
        del self._live[tid]
        return True
