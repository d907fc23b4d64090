"""Which sequence numbers of a session have come: the anti-replay window of IPsec (RFC 4303, 3.4.3). Knows no commands.

It keeps two integers, however many numbers come: the highest one, and a bit map of those just below it.
A number further below counts as seen, so that it is never taken twice. Numbers that late do not occur, because a
terminal counts by one and a command is decided within seconds.
"""

WIDTH = 64
_ALL = (1 << WIDTH) - 1


class ReplayWindow:
    """The numbers of one session, from 0 on."""

    def __init__(self) -> None:
        """None has come yet."""
        self._highest = -1
        self._come = 0  # bit n: the number `highest - n` has come

    def admit(self, number: int) -> bool:
        """Return whether a number comes for the first time, and mark it as seen."""
        ahead = number - self._highest
        if ahead > 0:
            self._highest = number
            self._come = (self._come << ahead | 1) & _ALL if ahead < WIDTH else 1
            return True
        if ahead <= -WIDTH or self._come >> -ahead & 1:
            return False
        self._come |= 1 << -ahead
        return True
