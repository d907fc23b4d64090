"""Reads the calls of each extension by itself, one after the other, so that none waits because of another.

Does not know what is in a list. What a round could not do comes first in the next one. An extension that VoipNow
refuses to show loses its calls; one whose list fails keeps them for `Reachability.stale_s`. Those that something is
awaited of are read now and then between the others. Times are monotonic seconds.
"""

from collections.abc import Callable, Iterable

import structlog

from phoneterm_bridge.pbx.voipnow.call_lists import CallLists
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.reachability import Reachability
from phoneterm_bridge.pbx.voipnow.turns import Turns
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi

_AWAITED_EVERY_S = 0.25
_NOT_SHOWN = (400, 403, 404)


class OneByOne:
    """The reading of all that `extensions` returns, each time. clock: monotonic seconds."""

    def __init__(
        self,
        extensions: Callable[[], Iterable[str]],
        api: UnifiedApi,
        lists: CallLists,
        reachability: Reachability,
        clock: Callable[[], float],
    ) -> None:
        """Nothing is read yet."""
        self._extensions = extensions
        self._api = api
        self._lists = lists
        self._reachability = reachability
        self._clock = clock
        self._turns = Turns()
        self._awaited_s = 0.0
        self._hidden: set[str] = set()  # not shown, and told so

    async def read(self) -> None:
        """Read what is left of a round, or a whole one; raises if VoipNow is in trouble."""
        self._turns.begin(self._extensions())
        if self._turns.whose is None:
            await self._api.get_token()  # nobody to ask for, but is the app let in?
        try:
            while (extension := self._turns.whose) is not None:
                await self._take_turn(extension)
                await self._read_awaited()
        finally:
            for extension in self._turns.failing_since(self._clock() - self._reachability.stale_s):
                self._lists.lose_calls_of(extension)

    async def _take_turn(self, extension: str) -> None:
        """Read an extension's calls; raises if VoipNow is in trouble, not if it refuses to show just these."""
        try:
            await self._lists.read(extension)
        except TooMany:
            raise  # it is this one's turn again
        except Refused as error:
            if error.status not in _NOT_SHOWN:
                self._turns.note_failure(extension, self._clock())
                raise
            self._hide(extension, error)
        except (NoAnswer, NotDone, AppRefused):
            self._turns.note_failure(extension, self._clock())
            raise
        else:
            self._hidden.discard(extension)
        self._turns.note_read(extension)
        self._reachability.note_life()

    async def _read_awaited(self) -> None:
        awaited = self._lists.awaited
        if awaited and self._clock() - self._awaited_s >= _AWAITED_EVERY_S:
            self._awaited_s = self._clock()
            for extension in sorted(awaited):
                await self._take_turn(extension)

    def _hide(self, extension: str, error: Refused) -> None:
        self._lists.lose_calls_of(extension)
        if extension not in self._hidden:
            self._hidden.add(extension)
            structlog.get_logger().warning("calls-not-shown", extension=extension, why=str(error))
