"""Reads VoipNow's lists of calls, and tells the bridge what each one shows. Does not decide when, and acts on no call.

A list shows whose calls have changed, which of the callers who were sent away have left, and who has answered them.
Consultations judge it too, where there are any. Errors are those of `UnifiedApi`.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from phoneterm_bridge.pbx.port import ANSWERED, PbxListener
from phoneterm_bridge.pbx.voipnow.arrivals import Arrivals
from phoneterm_bridge.pbx.voipnow.call_table import CallTable, Leg
from phoneterm_bridge.pbx.voipnow.extension_number import forms_of
from phoneterm_bridge.pbx.voipnow.sent_callers import SentCallers
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi


class Consultations(Protocol):
    """Composed transfers, as far as lists concern them."""

    @property
    def awaited(self) -> set[str]:
        """The extensions whose next list shows what came of something."""

    def judge(self, extension: str | None, request: int) -> None:
        """A list of one extension, or of all, is in the table now; request: the number of the one that it answers."""


class CallLists:
    """The lists of one VoipNow, and the table of what they show. clock: monotonic seconds.

    listener: who is told, None for nobody. is_due: set when a list is to be read at once. newest_request: the number of
    the last request for a list.
    """

    def __init__(self, api: UnifiedApi, organization: str, clock: Callable[[], float]) -> None:
        """Read nothing yet."""
        self.table = CallTable(organization)
        self.listener: PbxListener | None = None
        self.consultations: Consultations | None = None
        self.is_due = asyncio.Event()
        self.newest_request = 0
        self._api = api
        self._organization = organization
        self._clock = clock
        self._sent = SentCallers(clock)
        self._arrivals = Arrivals(clock)

    @property
    def awaited(self) -> set[str]:
        """The extensions whose next list shows what came of something."""
        return self._sent.extensions | (set() if self.consultations is None else self.consultations.awaited)

    async def read(self, extension: str | None = None) -> None:
        """Read the calls of one extension, or of all, and tell what they show."""
        request = self._next_request()
        calls = await (self._api.calls() if extension is None else self._api.calls(extension))
        self.report_changes(self.table.load(calls, self._clock(), request, extension))
        for ref, state in self._sent.pop_ended(lambda ref: self.table.leg_of(ref) is not None, extension):
            self.report_progress(ref, state, None)
        if self.consultations is not None:
            self.consultations.judge(extension, request)
        for ref in self._arrivals.pop_answered(calls) if extension is None else ():
            if self.listener is not None:
                self.listener.on_arrival(ref, ANSWERED, None)

    def follow(self, leg: Leg) -> None:
        """The leg's other party was sent away: tell when it is done."""
        self._sent.add(leg.ref, leg.extension)
        self._arrivals.add(leg.ref, leg.call_id, {leg.extension, *leg.others})
        self.is_due.set()

    def is_followed(self, ref: str) -> bool:
        """Say whether a leg's other party was sent away, and no list shows yet what came of it."""
        return self._sent.has(ref)

    def lose_calls_of(self, extension: str) -> None:
        """Nobody knows any more what became of an extension's calls."""
        self._sent.forget(extension)
        self.report_changes(self.table.load((), self._clock(), self._next_request(), extension))

    def forget_all(self) -> set[str]:
        """Forget all calls, because everything may change unseen; return the extensions that had one, to be told."""
        self._sent.forget()
        self._arrivals.forget()
        return self.table.clear()

    def report_progress(self, ref: str, state: str, reason: str | None) -> None:
        """Pass news of a transfer on."""
        if self.listener is not None:
            self.listener.on_progress(ref, state, reason)

    def report_changes(self, extensions: Iterable[str]) -> None:
        """The calls of these extensions are to be shown anew."""
        for extension in extensions:
            for endpoint in forms_of(extension, self._organization):
                if self.listener is not None:
                    self.listener.on_calls_changed(endpoint)

    def _next_request(self) -> int:
        self.newest_request += 1
        return self.newest_request
