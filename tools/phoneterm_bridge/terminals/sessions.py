"""Sessions: they bind a command to the present. Does not send them and does not know commands.

A session is created for each hello. It dies with the next hello, with the terminal's offline state of the same boot,
with its revocation, and with the bridge, because it lives in memory only. When the clocks of bridge and terminal no
longer fit, a new one replaces it, for the same boot. Times are seconds of the HostClock.
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
    replaced: str | None = None  # the id of the session that this one replaced
    come: ReplayWindow = field(default_factory=ReplayWindow, compare=False, repr=False)

    def owns(self, command_id: str) -> bool:
        """Say whether a command id is one of this session."""
        session_id, _, sequence = command_id.partition(".")
        return session_id == self.id and sequence.isdecimal() and sequence.isascii()

    def has_replaced(self, command_id: str) -> bool:
        """Say whether a command id is of the session that this one replaced."""
        return self.replaced is not None and command_id.partition(".")[0] == self.replaced

    def admit(self, command_id: str) -> bool:
        """Return whether a command of this session comes for the first time, and mark it as seen."""
        return self.come.admit(int(command_id.rpartition(".")[2]))

    def is_fresh(self, since_ms: int, now_s: float) -> bool:
        """Say whether an event `since_ms` after the session arrived is neither too old nor in the future."""
        return not self.is_ahead(since_ms, now_s) and self.age_ms(since_ms, now_s) <= self.ttl_ms

    def is_ahead(self, since_ms: int, now_s: float) -> bool:
        """Say whether an event is in the future: more time has passed for the terminal than here."""
        return self.age_ms(since_ms, now_s) < -_MOST_AHEAD_MS

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
        self._apart: set[str] = set()

    def mint(self, tid: str, boot: str, now_s: float) -> Session:
        """Start a new session of a terminal; the previous one ends."""
        session = Session(tid, secrets.token_hex(5), boot, now_s, self._ttl_ms)
        self._live[tid] = session
        self._apart.discard(tid)
        return session

    def renew(self, tid: str, now_s: float) -> Session | None:
        """Replace a terminal's session by a new one of the same boot; None without a session."""
        old = self._live.get(tid)
        if old is None:
            return None
        session = Session(tid, secrets.token_hex(5), old.boot, now_s, self._ttl_ms, old.id)
        self._live[tid] = session
        return session

    def note_apart(self, tid: str) -> None:
        """Note that a terminal's clock does not fit its session."""
        self._apart.add(tid)

    def pop_apart(self) -> tuple[str, ...]:
        """Return the terminals whose clock was noted not to fit, once."""
        found = tuple(self._apart)
        self._apart.clear()
        return found

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
