"""Whether Asterisk's dialplan has a number: the only place that asks. Does not judge who may be sent there.

A number that leads to nothing but a recording does not exist: FreePBX has one for every number (bad-number). A known
number is not asked for again within a second, because one command asks more than once, milliseconds apart. Only "yes"
is remembered, so that a newly added extension counts at once.
"""

import asyncio
from collections.abc import Callable

from phoneterm.core import messages

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.dialplan import Dialplan
from phoneterm_bridge.pbx.asterisk.features import ask_variable
from phoneterm_bridge.pbx.port import PbxMisconfigured

_KNOWN_FOR_S = 1.0
_MOST_KNOWN = 1000


class KnownNumbers:
    """The numbers of one Asterisk, at most a second old. clock: monotonic seconds."""

    def __init__(self, client: AmiClient, clock: Callable[[], float]) -> None:
        """Nothing is known yet."""
        self.dialplan = Dialplan(client, clock)
        self._client = client
        self._clock = clock
        self._known_until: dict[tuple[str, str], float] = {}

    def remembers(self, context: str, number: str) -> bool:
        """Say whether the number was there just now."""
        return self._clock() < self._known_until.get((context, number), 0.0)

    async def has(self, context: str, number: str) -> bool | None:
        """Say whether the dialplan has the number; None when Asterisk did not answer, or refused to.

        PbxMisconfigured when it does not have the context.
        """
        if not messages.is_number(number):
            return False
        if self.remembers(context, number):
            return True
        try:
            told, destination = await asyncio.gather(
                ask_variable(self._client, f"DIALPLAN_EXISTS({context},{number},1)"),
                self.dialplan.find(context, number),
            )
            is_there = told == "1" and not (destination is not None and destination.kind == "nowhere")
        except (NotConnected, OutcomeUnknown, AmiRefused):
            return None
        if not is_there and self.dialplan.lacks(context):
            raise PbxMisconfigured(
                f"The PBX's dialplan has no context {context}, where transfers are to be dialled: name the right one "
                "with `phoneterm user context` (on FreePBX from-internal-xfer) and in the setting pbx.context."
            )
        if is_there:
            if len(self._known_until) >= _MOST_KNOWN:
                self._known_until.clear()
            self._known_until[context, number] = self._clock() + _KNOWN_FOR_S
        return is_there

    def forget(self) -> None:
        """Forget everything: the connection was lost, and the dialplan may have changed."""
        self._known_until.clear()
        self.dialplan.forget()
