"""Single actions on one of Asterisk's channels; each returns its outcome as a value.

Does not know calls or transfers, and never asks twice. An error answer becomes a wire reason: "no-call" means that
the channel is gone or is in no bridge.
"""

from collections.abc import Awaitable

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.port import Outcome

ACCEPTED = Outcome("accepted")
UNKNOWN = Outcome("unknown")
UNREACHABLE = Outcome("failed", "pbx-unreachable")
CHANNEL_IS_GONE = ("No such channel", "Channel not found", "Channel specified does not exist")

_NORMAL_CLEARING = "16"
_REASONS = {
    **dict.fromkeys(CHANNEL_IS_GONE, "no-call"),
    "Transfer invalid": "no-call",
    "No attended transfer feature code found": "pbx-misconfigured",
}


class ChannelActions:
    """The actions, over one AMI login."""

    def __init__(self, client: AmiClient) -> None:
        """Nothing is asked yet."""
        self._client = client

    async def blind(self, channel: str, context: str, number: str) -> Outcome:
        """Send the other party to the number."""
        headers = [("Channel", channel), ("Exten", number), ("Context", context)]
        return await outcome_of(self._client.ask("BlindTransfer", headers))

    async def hang_up(self, channel: str) -> Outcome:
        """Hang up for the user."""
        return await outcome_of(self._client.ask("Hangup", [("Channel", channel), ("Cause", _NORMAL_CLEARING)]))

    async def play(self, channel: str, code: str) -> Outcome:
        """Play a feature code as if the phone had sent it."""
        if not code:
            return Outcome("failed", "pbx-misconfigured")
        return await outcome_of(play_code(self._client, channel, code))

    async def abort(self, channel: str, code: str) -> Outcome:
        """Cancel an attended transfer, by its code if one tone is enough: CancelAtxfer plays the same, but slower."""
        if len(code) == 1:
            return await self.play(channel, code)
        return await outcome_of(self._client.ask("CancelAtxfer", [("Channel", channel)]))


async def play_code(client: AmiClient, channel: str, code: str) -> Message:
    """Play a feature code as if the phone had sent it; return the first error, or the last answer."""
    if not code:
        raise ValueError("an empty feature code cannot be played")
    for digit in code:
        headers = [("Channel", channel), ("Digit", digit), ("Receive", "true"), ("Duration", "1")]
        answer = await client.ask("PlayDTMF", headers)
        if not is_success(answer):
            break
    return answer


async def outcome_of(asking: Awaitable[Message]) -> Outcome:
    """Wait for an answer and return it as an outcome."""
    try:
        reason = refusal_in(await asking)
    except NotConnected:
        return UNREACHABLE
    except OutcomeUnknown:
        return UNKNOWN
    return Outcome("failed", reason) if reason else ACCEPTED


def refusal_in(answer: Message) -> str | None:
    """Return the wire reason of an error answer, or None for a success."""
    return None if is_success(answer) else _REASONS.get(answer.get("Message"), "not-permitted-by-pbx")


def is_success(answer: Message) -> bool:
    """Say whether this is the answer to an action that worked."""
    return answer.get("Response") == "Success"
