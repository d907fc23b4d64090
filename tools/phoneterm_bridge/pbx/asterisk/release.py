"""Ends a wait in vain for a colleague, where Asterisk would let the caller wait longer. Decides nothing else.

While the user waits, too: the colleague's dialplan has given up, but keeps the line (a busy tone for 20 s).
After the user has hung up while it rings (atxferdropcall = no): the target is hung up a moment before Asterisk's own
time limit. Asterisk would do the same, but often takes that hang-up for one of the user's phone, which it rings at that
moment: then it lets the phone go, pauses (atxferloopdelay), calls the colleague once more and pauses again, 35 s with
the usual limits, before the user's phone rings. Source: main/bridge_basic.c (blond_nonfinal_exit, recall_pull); tried
on 22, where it happened in 8 of 20 calls through a queue and in 2 of 20 others.
After Asterisk has given up, because the user's phone is off: it drops a caller when that phone is busy or does not
answer, but where there is no phone to ring it leaves the caller alone in silence, for ever. Then the caller is hung up.
"""

import asyncio
from collections.abc import Callable, Coroutine

from phoneterm_bridge.pbx.asterisk.actions import ChannelActions
from phoneterm_bridge.pbx.asterisk.calls import CallTable
from phoneterm_bridge.pbx.asterisk.transfer import LEFT
from phoneterm_bridge.pbx.asterisk.view import RunningTransfer
from phoneterm_bridge.pbx.port import Outcome

_GIVEN_UP_S = 1.0  # within this time Asterisk hangs up those whom it drops


class Release:
    """The ends of all waits. clock: seconds; keep: a function that has an action carried out in the background."""

    def __init__(
        self,
        actions: ChannelActions,
        clock: Callable[[], float],
        keep: Callable[[Coroutine[None, None, Outcome]], None],
    ) -> None:
        """Nothing waits yet."""
        self._actions = actions
        self._clock = clock
        self._keep = keep

    def on_stuck(self, running: RunningTransfer, table: CallTable) -> None:
        """The colleague's dialplan gave up but keeps the line: bring the caller back at once."""
        leg = table.leg(running.transfer.transferrer)
        if leg is not None and running.transfer.is_under_way:
            self._keep(self._actions.abort(leg.channel, running.codes.abort))
        else:
            self._end_ringing(running, table)

    def on_left(self, running: RunningTransfer, table: CallTable) -> None:
        """The user has hung up while it rings: see to it that the caller comes back in time."""
        rest_s = running.transfer.no_answer_at - self._clock()
        asyncio.get_running_loop().call_later(max(0.0, rest_s), self._end_ringing, running, table)

    def on_given_up(self, running: RunningTransfer, table: CallTable) -> None:
        """Asterisk will ring neither colleague nor user again: do not leave the caller alone."""
        asyncio.get_running_loop().call_later(_GIVEN_UP_S, self._drop_callers, running, table)

    def _drop_callers(self, running: RunningTransfer, table: CallTable) -> None:
        """Hang up a caller who is with nobody."""
        callers = map(table.leg, running.transfer.callers) if running.transfer.state == LEFT else ()
        for caller in callers:
            if caller is not None and table.waits_alone(caller) and not running.is_lost:
                self._keep(self._actions.hang_up(caller.channel))

    def _end_ringing(self, running: RunningTransfer, table: CallTable) -> None:
        """Hang up a target that has not answered, where Asterisk then rings the user."""
        target = table.leg(running.transfer.target)
        is_left = running.transfer.state == LEFT and running.codes.rings_back and not running.is_lost
        if is_left and target is not None and not target.is_up:
            self._keep(self._actions.hang_up(target.channel))
