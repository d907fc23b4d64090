"""The code that starts an attended transfer, for each leg: the one from when it came into its bridge.

Does not start a transfer. Asterisk sets up the code of a channel at that moment, and keeps it if the configuration
changes later; asked during the call it would tell the new one. So it is asked once, as soon as a conversation has
lasted `SETTLED_S`: shorter ones cost nothing. For a leg that is not asked about yet, or that was in its bridge before
the bridge service connected, the present code is the best there is.
"""

import asyncio

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.calls import CallTable, Leg
from phoneterm_bridge.pbx.asterisk.features import ask_start_code

SETTLED_S = 1.0


class StartCodes:
    """The codes of all legs in bridges; a leg's code is forgotten when it comes into another bridge."""

    def __init__(self, client: AmiClient, table: CallTable) -> None:
        """Nothing is asked yet."""
        self._client = client
        self._table = table
        self._codes: dict[str, tuple[str, str]] = {}  # by Uniqueid: the bridge, and the code there
        self._fresh: dict[str, str] = {}  # by Uniqueid: the bridge that the leg has just come into
        self._timer: asyncio.TimerHandle | None = None
        self._asking: set[asyncio.Task[None]] = set()

    def note_entry(self, leg: Leg) -> None:
        """A phone's leg has come into a bridge."""
        self._codes.pop(leg.uniqueid, None)
        self._fresh[leg.uniqueid] = leg.bridge
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLED_S, self._ask_fresh)

    def forget(self, uniqueid: str) -> None:
        """A leg has ended."""
        self._codes.pop(uniqueid, None)
        self._fresh.pop(uniqueid, None)

    async def code_of(self, leg: Leg) -> str:
        """Return the code of a leg; asks if it is not known. Raises as the question does."""
        bridge, code = self._codes.get(leg.uniqueid, ("", ""))
        return code if bridge == leg.bridge != "" else await ask_start_code(self._client, leg.channel)

    def pause(self) -> None:
        """The connection is gone: ask nothing. What is known stays true of every leg that stays in its bridge."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._asking:
            task.cancel()
        self._fresh.clear()

    def resume(self) -> None:
        """The table has been loaded again: forget the legs that are no more."""
        self._codes = {uniqueid: known for uniqueid, known in self._codes.items() if self._table.leg(uniqueid)}

    def _ask_fresh(self) -> None:
        self._timer = None
        fresh, self._fresh = self._fresh, {}
        for uniqueid, bridge in fresh.items():
            leg = self._table.leg(uniqueid)
            if leg is not None and leg.bridge == bridge:
                task = asyncio.create_task(self._ask(leg, bridge))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)

    async def _ask(self, leg: Leg, bridge: str) -> None:
        """Ask for one leg; if there is no answer, the next transfer asks."""
        try:
            code = await ask_start_code(self._client, leg.channel)
        except (NotConnected, OutcomeUnknown, AmiRefused):
            return
        if leg.bridge == bridge and self._table.leg(leg.uniqueid) is leg:
            self._codes[leg.uniqueid] = (bridge, code)
