"""Callers on their way to a number, as far as lists of calls show them. Does not look, and guesses nothing.

A list shows an answer only where the call keeps its id and an extension that was not in it before is connected now. A
call that is no longer in a list has ended, or goes on under another id: then nothing is said of it. Times are monotonic
seconds.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from phoneterm_bridge.pbx.voipnow.reading import PhoneCall

_MOST_S = 120.0
_ON_CALL = 5


class _Way(NamedTuple):
    call_id: str
    known: frozenset[str]
    until_s: float


class Arrivals:
    """The callers on their way, by the reference of the leg that sent them. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """None yet."""
        self._clock = clock
        self._ways: dict[str, _Way] = {}

    def add(self, ref: str, call_id: str, known: Iterable[str]) -> None:
        """The other party of a leg has been sent away. known: the extensions in the call before."""
        self._ways[ref] = _Way(call_id, frozenset(known), self._clock() + _MOST_S)

    def pop_answered(self, calls: Iterable[PhoneCall]) -> list[str]:
        """Return the references of those that are answered according to a list of all calls, and forget them."""
        shown = {call.id: call for call in calls}
        now_s, answered = self._clock(), []
        for ref, way in tuple(self._ways.items()):
            call = shown.get(way.call_id)
            if call is not None and _has_newcomer(call, way.known):
                answered.append(ref)
            elif call is not None and now_s < way.until_s:
                continue
            del self._ways[ref]
        return answered

    def forget(self) -> None:
        """Forget all: nobody sees any more what becomes of them."""
        self._ways.clear()


def _has_newcomer(call: PhoneCall, known: frozenset[str]) -> bool:
    return any(view.status == _ON_CALL and view.extension not in known for view in call.views)
