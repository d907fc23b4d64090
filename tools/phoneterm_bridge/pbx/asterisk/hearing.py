"""Finds out that Asterisk tells this login nothing of its calls, because it lacks the read class `call`.

A login cannot ask for its read classes. So whenever no event of a call has come for a while, Asterisk's list of
channels is looked at: one that is in it twice, and that no event has told of, proves it. An event proves the contrary.
Does not connect, and does not decide what follows from it. Times are in seconds.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.calls import CallTable

_FIRST_S = 2.0
_MOST_S = 30.0
_AGAIN_S = 1.0  # after a channel that nobody knows: its event may only have been late


class Asking(Protocol):
    """What is needed of an AMI login."""

    async def ask_list(self, action: str) -> list[Message]:
        """Send one action that answers with a list and return the list."""


class Hearing:
    """The hearing of one login, over all its connections; `on_change` is called whenever `is_deaf` changes."""

    def __init__(
        self, client: Asking, table: CallTable, on_change: Callable[[], None], first_s: float = _FIRST_S
    ) -> None:
        """Count as hearing until the contrary is proven. first_s: the time of silence before the first look."""
        self._first_s = first_s
        self.is_deaf = False
        self._client = client
        self._table = table
        self._on_change = on_change
        self._has_heard = False

    def note_event(self, event: Message) -> None:
        """An event came."""
        if not self._has_heard and "call" in event.get("Privilege").split(","):
            self._has_heard = True
            self._change(False)

    async def watch(self) -> None:
        """Look for ever; of one connection."""
        pause_s, unknown_before = self._first_s, frozenset[str]()
        while True:
            await asyncio.sleep(pause_s)
            has_heard, self._has_heard = self._has_heard, False
            unknown = frozenset[str]() if has_heard else await self._find_unknown()
            if unknown & unknown_before and not self._has_heard:
                self._change(True)
            unknown_before = unknown
            pause_s = _AGAIN_S if unknown and not self.is_deaf else min(pause_s * 2, _MOST_S)

    async def _find_unknown(self) -> frozenset[str]:
        """Return the channels that Asterisk has and that nobody was told of; none if it does not answer."""
        try:
            listed = await self._client.ask_list("CoreShowChannels")
        except (NotConnected, OutcomeUnknown, AmiRefused):
            return frozenset()
        return frozenset(who for item in listed if self._table.leg(who := item.get("Uniqueid")) is None)

    def _change(self, is_deaf: bool) -> None:
        if self.is_deaf != is_deaf:
            self.is_deaf = is_deaf
            self._on_change()
