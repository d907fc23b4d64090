"""Starts an attended transfer at Asterisk, the fastest way it allows, and checks that it really begins.

Does not follow the transfer (`transfer` does). The fast way puts the number into a variable of the channel and plays
only the feature code, so that nobody can hear a digit of the number. Where Asterisk is too old or PlayDTMF is missing,
`Atxfer` plays code and digits. A tone that Asterisk does not take as a code reaches the other party, so nothing is
played on a channel whose Dial had neither T nor t. Source: Asterisk's main/bridge_basic.c and funcs/func_channel.c,
tried on 22.
"""

import asyncio
import contextlib

import structlog

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.asterisk.actions import (
    ACCEPTED,
    CHANNEL_IS_GONE,
    UNKNOWN,
    UNREACHABLE,
    is_success,
    play_code,
    refusal_in,
)
from phoneterm_bridge.pbx.asterisk.calls import Leg
from phoneterm_bridge.pbx.asterisk.features import Features, ask_variable
from phoneterm_bridge.pbx.asterisk.known_numbers import KnownNumbers
from phoneterm_bridge.pbx.asterisk.transfer import ASKED, ConsultationRequest
from phoneterm_bridge.pbx.asterisk.view import CallView, RunningTransfer
from phoneterm_bridge.pbx.port import Outcome

HOLD_S = 2.0
TIDY_S = 0.5

_NUMBER = "TRANSFER_EXTEN"
_CONTEXT = "TRANSFER_CONTEXT"
_MAY_TRANSFER = "T"  # in CHANNEL(dtmf_features), at either end of the Dial
_HINTS = {
    "not-permitted-by-pbx": "the Dial that made the call lacks T or t",
    "pbx-misconfigured": "features.conf has no atxfer in [featuremap]",
}


class AttendedStart:
    """The start of one transfer: `begin` is all of it."""

    def __init__(self, client: AmiClient, features: Features, view: CallView, numbers: KnownNumbers) -> None:
        """Nothing is asked yet."""
        self._numbers = numbers
        self._client = client
        self._features = features
        self._view = view
        self._context_before = ""
        self._has_variables = False

    async def begin(self, leg: Leg, context: str, number: str) -> Outcome:
        """Start it; accepted once Asterisk has taken the number, and from then on the view follows it."""
        running = self._view.begin(leg, ConsultationRequest(f"Local/{number}@{context}-", self._features.no_answer_s))
        await asyncio.sleep(max(0.0, leg.deaf_until - self._view.clock()))
        try:
            reason = await self._ask(leg.channel, context, number)
            outcome = Outcome("failed", reason) if reason else await self._wait_for_beginning(running, leg)
        except NotConnected:
            outcome = UNREACHABLE
        except OutcomeUnknown:
            outcome = UNKNOWN
        if outcome is not ACCEPTED:
            self._view.drop(leg)
            self._warn(leg.channel, outcome.reason)
        await self._tidy(leg.channel)
        if outcome is ACCEPTED:
            asyncio.get_running_loop().call_soon(running.release)
        return outcome

    async def _ask(self, channel: str, context: str, number: str) -> str | None:
        """Ask for the transfer; return the wire reason why it is not possible, or None when it is under way."""
        is_known, code, self._context_before, features = await asyncio.gather(
            self._numbers.has(context, number),
            ask_variable(self._client, "FEATUREMAP(atxfer)", channel),
            ask_variable(self._client, _CONTEXT, channel),
            ask_variable(self._client, "CHANNEL(dtmf_features)", channel),
        )
        if not is_known:
            return "unknown-number" if is_known is False else "pbx-unreachable"
        if not code:
            return "pbx-misconfigured"
        if self._features.tells_who_may_transfer and _MAY_TRANSFER not in features:
            return "not-permitted-by-pbx"
        if self._features.takes_number_from_variable:
            answer = await self._play(channel, context, number, code)
            if is_success(answer) or answer.get("Message") in CHANNEL_IS_GONE:
                return refusal_in(answer)
        headers = [("Channel", channel), ("Exten", number), ("Context", context)]
        return refusal_in(await self._client.ask("Atxfer", headers))

    async def _play(self, channel: str, context: str, number: str, code: str) -> Message:
        """Set the variables and play the code; return the first error, or the last answer."""
        self._has_variables = True
        for name, value in ((_NUMBER, number), (_CONTEXT, context)):
            answer = await self._set(channel, name, value)
            if not is_success(answer):
                return answer
        return await play_code(self._client, channel, code)

    async def _wait_for_beginning(self, running: RunningTransfer, leg: Leg) -> Outcome:
        try:
            async with asyncio.timeout(HOLD_S):
                await running.has_begun.wait()
        except TimeoutError:
            if running.transfer.state == ASKED:
                return Outcome("failed", "not-permitted-by-pbx")
        if running.is_lost:
            return UNKNOWN
        if running.held_back and running.held_back[0][0] == "failed":
            return Outcome(*running.held_back[0])
        return ACCEPTED

    def _warn(self, channel: str, reason: str | None) -> None:
        """Warn the operator of a fault that no user can repair."""
        if reason in _HINTS:
            structlog.get_logger().warning("no-transfer-began", channel=channel, reason=reason, hint=_HINTS[reason])

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
