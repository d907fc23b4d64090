"""How much one terminal may say: messages and octets a second, with a reserve for a lively moment. Reads no sockets.

What goes beyond is owed: the caller is told how long to wait until it is paid for. Whoever has to wait again and again,
without ever having its whole reserve back, sends too much. Times are monotonic seconds.
"""

import time
from collections.abc import Callable

MESSAGES_PER_S, MESSAGES_IN_RESERVE = 50, 200
OCTETS_PER_S, OCTETS_IN_RESERVE = 16_384, 65_536
SMALL_RESERVE = 0.2  # where who is over its budget waits, and loses nothing, a part of the reserve will do
MOST_WAITED_S = 5.0
TOO_MUCH = f"it sends more than {MESSAGES_PER_S} messages or {OCTETS_PER_S // 1024} KB a second"


class Budget:
    """The budget of one terminal, all its connections together."""

    __slots__ = ("_at_s", "_messages", "_most_messages", "_most_octets", "_now_s", "_octets", "_waited_s")

    def __init__(self, now_s: Callable[[], float] = time.monotonic, reserve: float = 1.0) -> None:
        """reserve: which part of the usual one it has."""
        self._now_s = now_s
        self._at_s = now_s()
        self._messages = self._most_messages = MESSAGES_IN_RESERVE * reserve
        self._octets = self._most_octets = OCTETS_IN_RESERVE * reserve
        self._waited_s = 0.0

    @property
    def is_overdrawn(self) -> bool:
        """Say whether it has been exceeded for so long that the connection should end."""
        return self._waited_s > MOST_WAITED_S

    def spend(self, octets: int, messages: int = 1) -> float:
        """Take something from the budget; return how many seconds pass until that is paid for, 0.0 at best."""
        now_s = self._now_s()
        passed_s, self._at_s = now_s - self._at_s, now_s
        self._messages = min(self._messages + passed_s * MESSAGES_PER_S, self._most_messages)
        self._octets = min(self._octets + passed_s * OCTETS_PER_S, self._most_octets)
        if self._messages == self._most_messages and self._octets == self._most_octets:
            self._waited_s = 0.0
        owed_before_s = self._owed_s()
        self._messages -= messages
        self._octets -= octets
        owed_s = self._owed_s()
        self._waited_s += owed_s - owed_before_s
        return owed_s

    def takes(self, octets: int) -> bool:
        """Take one message from the budget if it is covered; return whether it was."""
        if not self.spend(octets):
            return True
        self._messages += 1
        self._octets += octets
        return False

    def end_patience(self) -> None:
        """A connection was ended for excess: the next one starts with as many seconds to wait as this one has had."""
        self._messages = min(self._messages, -MOST_WAITED_S * MESSAGES_PER_S)
        self._waited_s = 0.0

    def _owed_s(self) -> float:
        return max(-self._messages / MESSAGES_PER_S, -self._octets / OCTETS_PER_S, 0.0)
