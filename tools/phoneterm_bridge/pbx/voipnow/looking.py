"""Looks at VoipNow's calls again and again: in a rhythm, at once where a list is due, and soon after a hint.

Does not know what is in a list. Whatever comes of a look, the next one comes; whether VoipNow is there by that,
`Reachability` judges. Times are monotonic seconds.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from phoneterm_bridge.pbx.voipnow.call_lists import CallLists
from phoneterm_bridge.pbx.voipnow.failures import FAILURES, AppRefused, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.reachability import Reachability
from phoneterm_bridge.pbx.voipnow.rhythm import Rhythm
from phoneterm_bridge.pbx.voipnow.unified_api import TOKEN_NOT_TAKEN

_NOT_LET_IN = (TOKEN_NOT_TAKEN, 403)


class Looking:
    """The looks at one VoipNow. read: reads whatever a look consists of; raises as `UnifiedApi` does."""

    def __init__(
        self,
        read: Callable[[], Awaitable[None]],
        lists: CallLists,
        rhythm: Rhythm,
        reachability: Reachability,
        clock: Callable[[], float],
    ) -> None:
        """Nothing is read yet."""
        self._read = read
        self._lists = lists
        self._rhythm = rhythm
        self._reachability = reachability
        self._clock = clock
        self._took_s = 0.0
        self._hinted_s = 0.0  # the last look that a hint has caused
        self._hint: asyncio.TimerHandle | None = None

    async def look(self) -> str | None:
        """Look once; return why VoipNow refuses the app, if it does."""
        try:
            await self._read_timed()
        except TooMany as error:
            self._note_trouble(str(error), error.after_s)
        except AppRefused as error:
            self._note_trouble(f"it refuses the app: {error}", is_login=True)
            return str(error)
        except Refused as error:
            self._note_trouble(str(error), is_login=error.status in _NOT_LET_IN)
        except FAILURES as error:
            self._note_trouble(str(error))
        except Exception as error:  # whatever VoipNow has answered, the next look must come
            structlog.get_logger().exception("calls-not-read", error=type(error).__name__)
            self._note_trouble("its answer is not understood")
        else:
            self._rhythm.note_success()
            self._reachability.note_success()
        return None

    async def keep_looking(self) -> None:
        """Look for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rhythm.pause_s(bool(self._lists.awaited))):
                    await self._lists.is_due.wait()
            self._lists.is_due.clear()
            await self.look()

    def look_soon(self) -> None:
        """VoipNow has told of something: look soon, but not more often than is good for anybody, nor in trouble."""
        if self._hint is None:
            wait_s = self._hinted_s + self._rhythm.hint_pause_s(self._took_s) - self._clock()
            self._hint = asyncio.get_running_loop().call_later(max(wait_s, 0.0), self._follow_hint)

    def stop(self) -> None:
        """Follow no hint any more."""
        if self._hint is not None:
            self._hint.cancel()

    async def _read_timed(self) -> None:
        started_s = self._clock()
        try:
            await self._read()
        finally:
            self._took_s = self._clock() - started_s

    def _follow_hint(self) -> None:
        self._hint, self._hinted_s = None, self._clock()
        if not self._rhythm.is_in_trouble:
            self._lists.is_due.set()

    def _note_trouble(self, why: str, told_s: float | None = None, is_login: bool = False) -> None:
        self._rhythm.note_failure(told_s)
        self._reachability.note_trouble(why, is_login)
