"""Looks at the application of a party that was sent away. Does not judge it.

It looks a second after the party was sent, and a second after a Dial for it has ended unanswered: by then the dialplan
has come to where the party stays. A party that is gone meanwhile is told by its events alone.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.arrival import Arrival
from phoneterm_bridge.pbx.asterisk.calls import CallTable
from phoneterm_bridge.pbx.asterisk.features import ask_variable

LOOK_AFTER_S = 1.0


class ArrivalLook:
    """All looks. keep: a function that has a question asked in the background."""

    def __init__(self, client: AmiClient, keep: Callable[[Coroutine[None, None, None]], None]) -> None:
        """Nothing is asked yet."""
        self._client = client
        self._keep = keep

    def look_soon(self, arrival: Arrival, table: CallTable) -> None:
        """The party was sent, or nobody is called for it any more."""
        asyncio.get_running_loop().call_later(LOOK_AFTER_S, self._look, arrival, table)

    def _look(self, arrival: Arrival, table: CallTable) -> None:
        leg = table.leg(arrival.party)
        if leg is not None and not arrival.is_over:
            self._keep(self._ask(arrival, leg.channel))

    async def _ask(self, arrival: Arrival, channel: str) -> None:
        with contextlib.suppress(NotConnected, OutcomeUnknown, AmiRefused):
            arrival.note_application(await ask_variable(self._client, "CHANNEL(appname)", channel))
