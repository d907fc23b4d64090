"""Starts an attended transfer at Asterisk, the fastest way it allows, and checks that it really begins.

Does not follow the transfer (`transfer` does). The fast way puts the number into a variable of the channel and plays
only the feature code, so that nobody can hear a digit of the number. Where Asterisk is too old or PlayDTMF is missing,
`Atxfer` plays code and digits. A tone that Asterisk does not take as a code reaches the other party, so nothing is
played on a channel whose Dial had neither T nor t. The codes are asked for each transfer, because they may have been
changed. Source: Asterisk's main/bridge_basic.c and funcs/func_channel.c,
tried on 22.
"""

import asyncio
import contextlib

import structlog

from phoneterm_bridge.pbx.ami import refused
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.actions import ACCEPTED, MISCONFIGURED, UNKNOWN, UNREACHABLE, outcome_in, play_code
from phoneterm_bridge.pbx.asterisk.calls import Leg
from phoneterm_bridge.pbx.asterisk.features import Features, ask_codes, ask_variable
from phoneterm_bridge.pbx.asterisk.known_numbers import KnownNumbers
from phoneterm_bridge.pbx.asterisk.start_codes import StartCodes
from phoneterm_bridge.pbx.asterisk.transfer import ASKED
from phoneterm_bridge.pbx.asterisk.view import CallView, RunningTransfer
from phoneterm_bridge.pbx.port import Outcome, PbxMisconfigured

HOLD_S = 2.0
TIDY_S = 0.5

_NUMBER = "TRANSFER_EXTEN"
_CONTEXT = "TRANSFER_CONTEXT"
_MAY_TRANSFER = "T"  # in CHANNEL(dtmf_features), at either end of the Dial
_HINTS = {
    "not-permitted-by-pbx": "the Dial that made the call lacks T or t",
    "pbx-misconfigured": "features.conf has no atxfer in [featuremap]",
}
_NO_RIGHT = "the bridge's login in manager.conf lacks write = call,reporting"


class AttendedStart:
    """The start of one transfer: `begin` is all of it."""

    def __init__(
        self, client: AmiClient, features: Features, view: CallView, numbers: KnownNumbers, start_codes: StartCodes
    ) -> None:
        """Nothing is asked yet."""
        self._start_codes = start_codes
        self._numbers = numbers
        self._client = client
        self._features = features
        self._view = view
        self._context_before = ""
        self._has_variables = False
        self._lacks_right = False
        self._told = ""  # what is wrong at the PBX, if it was told

    async def begin(self, leg: Leg, context: str, number: str) -> Outcome:
        """Start it at a leg that takes feature codes; accepted once Asterisk has taken the number.

        From then on the view follows it.
        """
        running = self._view.begin(leg, f"Local/{number}@{context}-")
        try:
            outcome = await self._ask(running, leg, context, number)
            if outcome is ACCEPTED:
                outcome = await self._wait_for_beginning(running)
        except NotConnected:
            outcome = UNREACHABLE
        except OutcomeUnknown:
            outcome = UNKNOWN
        except AmiRefused as error:
            outcome = self._outcome_in(error.action, error.answer)
        except PbxMisconfigured as error:
            outcome, self._told = MISCONFIGURED, str(error)
        if outcome is not ACCEPTED:
            self._view.drop(leg)
            self._warn(leg.channel, outcome.reason)
        await self._tidy(leg.channel)
        if outcome is ACCEPTED:
            asyncio.get_running_loop().call_soon(running.release)
        return outcome

    async def _ask(self, running: RunningTransfer, leg: Leg, context: str, number: str) -> Outcome:
        """Ask for the transfer; accepted when it is under way."""
        channel = leg.channel
        is_known, code, running.codes, self._context_before, features = await asyncio.gather(
            self._numbers.has(context, number),
            self._start_codes.code_of(leg),
            ask_codes(self._client, channel),
            ask_variable(self._client, _CONTEXT, channel),
            ask_variable(self._client, "CHANNEL(dtmf_features)", channel),
        )
        running.transfer.expect_answer(running.codes.no_answer_s)
        if not is_known:
            return Outcome("failed", "unknown-number" if is_known is False else "pbx-unreachable")
        if not code:
            return Outcome("failed", "pbx-misconfigured")
        if self._features.tells_who_may_transfer and _MAY_TRANSFER not in features:
            return Outcome("failed", "not-permitted-by-pbx")
        if self._features.takes_number_from_variable:
            answer = await self._play(channel, context, number, code)
            if refused.kind_of(answer) in (None, refused.NO_CHANNEL):
                return outcome_in("PlayDTMF", answer)
        headers = [("Channel", channel), ("Exten", number), ("Context", context)]
        return self._outcome_in("Atxfer", await self._client.ask("Atxfer", headers))

    def _outcome_in(self, action: str, answer: Message) -> Outcome:
        self._lacks_right = refused.kind_of(answer) == refused.NO_RIGHT
        return outcome_in(action, answer)

    async def _play(self, channel: str, context: str, number: str, code: str) -> Message:
        """Set the variables and play the code; return the first error, or the last answer."""
        self._has_variables = True
        for name, value in ((_NUMBER, number), (_CONTEXT, context)):
            answer = await self._set(channel, name, value)
            if refused.kind_of(answer) is not None:
                return answer
        return await play_code(self._client, channel, code)

    async def _wait_for_beginning(self, running: RunningTransfer) -> Outcome:
        """Wait for Asterisk's events.

        None at all means that the Dial lacks T or t, unless Asterisk has said that it does not: then nobody knows.
        """
        await running.comes_to(lambda: running.has_begun, HOLD_S)
        if running.is_lost:
            return UNKNOWN
        if running.transfer.state == ASKED:
            return UNKNOWN if self._features.tells_who_may_transfer else Outcome("failed", "not-permitted-by-pbx")
        if running.held_back and running.held_back[0][0] == "failed":
            return Outcome(*running.held_back[0])
        return ACCEPTED

    def _warn(self, channel: str, reason: str | None) -> None:
        """Warn the operator of a fault that no user can repair."""
        if reason in _HINTS:
            hint = self._told or (_NO_RIGHT if self._lacks_right else _HINTS[reason])
            structlog.get_logger().warning("no-transfer-began", channel=channel, reason=reason, hint=hint)

    async def _tidy(self, channel: str) -> None:
        """Clear the variables; otherwise the user's next manual transfer would use them."""
        if self._has_variables:
            self._has_variables = False
            before = ((_NUMBER, ""), (_CONTEXT, self._context_before))
            with contextlib.suppress(NotConnected, OutcomeUnknown):
                await asyncio.gather(*(self._set(channel, name, value, TIDY_S) for name, value in before))

    async def _set(self, channel: str, name: str, value: str, deadline_s: float = HOLD_S) -> Message:
        headers = [("Channel", channel), ("Variable", name), ("Value", value)]
        return await self._client.ask("Setvar", headers, deadline_s)
