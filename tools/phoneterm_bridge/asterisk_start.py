"""Starts an attended transfer at Asterisk, the fastest way it allows, and tidies up after it.

Does not follow the transfer (`asterisk_transfer` does). The fast way puts the number into a variable of the channel
and plays the feature code alone, so that no digit of the number can be heard by anybody; where Asterisk is too old or
PlayDTMF is missing, `Atxfer` plays code and digits. Source: Asterisk's main/bridge_basic.c, tried on 22.
"""

import asyncio

from phoneterm_bridge.ami.client import AmiClient
from phoneterm_bridge.ami.codec import Message
from phoneterm_bridge.asterisk_actions import CHANNEL_IS_GONE, is_success, play_code, refusal_in
from phoneterm_bridge.asterisk_features import Features, ask_variable

_NUMBER = "TRANSFER_EXTEN"
_CONTEXT = "TRANSFER_CONTEXT"


class AttendedStart:
    """One start: `ask`, then `tidy` once the transfer has begun or will not."""

    def __init__(self, client: AmiClient, features: Features, channel: str) -> None:
        """Nothing is asked yet."""
        self._client = client
        self._features = features
        self._channel = channel
        self._context_before = ""
        self._has_variables = False

    async def ask(self, context: str, number: str) -> str | None:
        """Ask for the transfer and return why it cannot be, as a wire reason, or None when it is under way."""
        is_known, code, self._context_before = await asyncio.gather(
            ask_variable(self._client, f"DIALPLAN_EXISTS({context},{number},1)"),
            ask_variable(self._client, "FEATUREMAP(atxfer)", self._channel),
            ask_variable(self._client, _CONTEXT, self._channel),
        )
        if is_known != "1":
            return "unknown-number"
        if self._features.takes_number_from_variable and code:
            answer = await self._play(context, number, code)
            if is_success(answer) or answer.get("Message") in CHANNEL_IS_GONE:
                return refusal_in(answer)
        headers = [("Channel", self._channel), ("Exten", number), ("Context", context)]
        return refusal_in(await self._client.ask("Atxfer", headers))

    async def _play(self, context: str, number: str, code: str) -> Message:
        """Set the variables and play the code; return the first answer that is not a success, or the last one."""
        self._has_variables = True
        for name, value in ((_NUMBER, number), (_CONTEXT, context)):
            answer = await set_variable(self._client, self._channel, name, value)
            if not is_success(answer):
                return answer
        return await play_code(self._client, self._channel, code)

    async def tidy(self) -> None:
        """Clear the variables, or the user's next transfer by hand would use them."""
        if self._has_variables:
            self._has_variables = False
            await set_variable(self._client, self._channel, _NUMBER, "")
            await set_variable(self._client, self._channel, _CONTEXT, self._context_before)


async def set_variable(client: AmiClient, channel: str, name: str, value: str) -> Message:
    """Set a channel's variable and return the answer."""
    return await client.ask("Setvar", [("Channel", channel), ("Variable", name), ("Value", value)])
