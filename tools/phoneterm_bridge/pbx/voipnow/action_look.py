"""The look that belongs to one action: right before it, and once more where VoipNow has refused it.

Does not act, and does not decide whether a leg may be transferred. While VoipNow does not want to be asked, it is not.
"""

import asyncio

import structlog

from phoneterm_bridge.pbx.port import Outcome
from phoneterm_bridge.pbx.voipnow.call_lists import CallLists
from phoneterm_bridge.pbx.voipnow.call_table import Leg
from phoneterm_bridge.pbx.voipnow.failures import FAILURES, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.rhythm import Rhythm
from phoneterm_bridge.pbx.voipnow.unified_api import TOKEN_NOT_TAKEN

LOOK_FIRST_S = 2.0  # what takes longer would make the action late
NO_CALL = Outcome("failed", "no-call")  # a list does not show who left first
UNREACHABLE = Outcome("failed", "pbx-unreachable")
_ABOUT_THE_REQUEST = (400, 404)


class ActionLook:
    """The looks of all actions at one VoipNow. rhythm: slows down what is looked at again and again, where need be."""

    def __init__(self, lists: CallLists, rhythm: Rhythm) -> None:
        """Nothing is asked yet."""
        self._lists = lists
        self._rhythm = rhythm

    async def read(self, extension: str) -> None:
        """Read an extension's calls now; TimeoutError when that takes so long that an action would be late.

        TooMany, without asking, while VoipNow does not want to be asked.
        """
        wait_s = self._rhythm.quiet_s
        if wait_s > 0:
            raise TooMany(wait_s)
        async with asyncio.timeout(LOOK_FIRST_S):
            await self._lists.read(extension)

    async def find(self, ref: str, extension: str) -> Leg | Outcome:
        """Return an extension's leg by a list that is not older than this question; else why there is none."""
        try:
            await self.read(extension)
        except TooMany as error:
            return self._slow_down(error)
        except (*FAILURES, TimeoutError) as error:
            structlog.get_logger().warning("calls-not-read", why=str(error) or "it does not answer in time")
            return UNREACHABLE
        return self._lists.table.leg_of(ref) or NO_CALL

    async def explain(self, error: Exception, ref: str) -> Outcome:
        """Say why VoipNow has not done what was asked of a leg: it is gone, or the number is not taken, or else."""
        if isinstance(error, TooMany):
            return self._slow_down(error)
        if not isinstance(error, Refused) or error.status == TOKEN_NOT_TAKEN:
            return UNREACHABLE
        if error.status not in _ABOUT_THE_REQUEST:
            return Outcome("failed", "not-permitted-by-pbx")
        leg = self._lists.table.leg_of(ref)
        try:
            if leg is not None:
                await self.read(leg.extension)
        except TooMany as too_many:
            return self._slow_down(too_many)
        except (*FAILURES, TimeoutError):
            return UNREACHABLE
        return NO_CALL if self._lists.table.leg_of(ref) is None else Outcome("failed", "unknown-number")

    def _slow_down(self, error: TooMany) -> Outcome:
        self._rhythm.note_failure(error.after_s)
        return Outcome("failed", "rate")
