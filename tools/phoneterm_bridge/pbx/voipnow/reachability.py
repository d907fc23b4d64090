"""Whether VoipNow is there, by what the looks at its calls have come to. Does not look, and keeps no calls.

A look that fails changes nothing yet. VoipNow counts as away once the last one that worked is too old, even while a
look is under way, and at once when it does not let the app in. Each trouble is logged once, until it is over. Times are
monotonic seconds.
"""

import asyncio
from collections.abc import Callable

import structlog

_STALE_LOOKS = 3
_STALE_LEAST_S = 5.0


class Reachability:
    """The reachability of one VoipNow. stale_s: how old the last look that worked may be.

    url: as the log has it. look_every_s: from one look to the next. on_back: is called when VoipNow is there again, or
    for the first time. on_away: whenever it counts as away, also if it did so before; is_news says whether it did not.
    """

    def __init__(
        self,
        url: str,
        look_every_s: float,
        on_back: Callable[[], None],
        on_away: Callable[[bool], None],
        clock: Callable[[], float],
    ) -> None:
        """Count as away until a look works; nobody is told of that."""
        self.is_available = False
        self.is_login_refused = False
        self.stale_s = max(_STALE_LEAST_S, _STALE_LOOKS * look_every_s)
        self._url = url
        self._on_back = on_back
        self._on_away = on_away
        self._clock = clock
        self._logged: str | None = None  # the trouble that was logged last; None while there is none
        self._answered_s = 0.0
        self._stale: asyncio.TimerHandle | None = None

    def note_success(self) -> None:
        """A look has worked."""
        self._note_answer()
        self.is_login_refused = False
        if self._logged is not None:
            structlog.get_logger().info("voipnow-answers-again")
            self._logged = None
        if not self.is_available:
            self.is_available = True
            self._on_back()

    def note_life(self) -> None:
        """VoipNow answers, in the middle of a look that may take longer than anybody would wait for a sign of life."""
        if self.is_available:
            self._note_answer()

    def note_trouble(self, why: str, is_login: bool = False) -> None:
        """A look has failed. is_login: because VoipNow does not let the app in."""
        self.is_login_refused = is_login
        if self._logged != why:
            self._log(why)
        if is_login or self._clock() - self._answered_s >= self.stale_s:
            self._lose()

    def stop(self) -> None:
        """Call nobody any more because time goes by."""
        if self._stale is not None:
            self._stale.cancel()

    def _note_answer(self) -> None:
        self._answered_s = self._clock()
        self.stop()
        self._stale = asyncio.get_running_loop().call_later(self.stale_s, self._lose)

    def _lose(self) -> None:
        if self._logged is None:
            self._log("it has not answered for too long")
        is_news, self.is_available = self.is_available, False
        self._on_away(is_news)

    def _log(self, why: str) -> None:
        self._logged = why
        structlog.get_logger().warning("voipnow-does-not-answer", url=self._url, why=why)
