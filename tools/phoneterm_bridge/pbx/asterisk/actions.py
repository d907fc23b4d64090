"""Single actions on one of Asterisk's channels; each returns its outcome as a value.

Does not know calls or transfers, and never asks twice. An error answer becomes a wire reason: "no-call" means that
the channel is gone or is in no bridge. An error that nobody expects has no reason, and is in the log.
"""

from collections.abc import Awaitable

import structlog

from phoneterm_bridge.pbx.ami import refused
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.port import Outcome

ACCEPTED = Outcome("accepted")
UNKNOWN = Outcome("unknown")
UNREACHABLE = Outcome("failed", "pbx-unreachable")
MISCONFIGURED = Outcome("failed", "pbx-misconfigured")

_MOST_TOLD_CHARS = 120
_NORMAL_CLEARING = "16"
_REASONS = {
    refused.NO_CHANNEL: "no-call",
    refused.NO_RIGHT: "pbx-misconfigured",
    refused.NO_ACTION: "pbx-misconfigured",
    refused.SHUTTING_DOWN: "pbx-unreachable",
}
_REASONS_BY_TEXT = {
    "Transfer invalid": "no-call",
    "Transfer not permitted": "not-permitted-by-pbx",
    "No attended transfer feature code found": "pbx-misconfigured",
    "No disconnect feature code found": "pbx-misconfigured",
}


class ChannelActions:
    """The actions, over one AMI login."""

    def __init__(self, client: AmiClient) -> None:
        """Nothing is asked yet."""
        self._client = client

    async def blind(self, channel: str, context: str, number: str) -> Outcome:
        """Send the other party to the number."""
        headers = [("Channel", channel), ("Exten", number), ("Context", context)]
        return await outcome_of("BlindTransfer", self._client.ask("BlindTransfer", headers))

    async def hang_up(self, channel: str) -> Outcome:
        """Hang up for the user."""
        return await outcome_of(
            "Hangup", self._client.ask("Hangup", [("Channel", channel), ("Cause", _NORMAL_CLEARING)])
        )

    async def play(self, channel: str, code: str) -> Outcome:
        """Play a feature code as if the phone had sent it."""
        if not code:
            return MISCONFIGURED
        return await outcome_of("PlayDTMF", play_code(self._client, channel, code))

    async def complete(self, channel: str, code: str) -> Outcome:
        """Complete an attended transfer by its code, or by hanging up for the user where no code can be played."""
        return await self._play_or(channel, code, "Hangup", [("Channel", channel), ("Cause", _NORMAL_CLEARING)])

    async def abort(self, channel: str, code: str) -> Outcome:
        """Cancel an attended transfer by the code it began with.

        CancelAtxfer plays the code that is set now, which may be another one, so it is only used without PlayDTMF.
        """
        return await self._play_or(channel, code, "CancelAtxfer", [("Channel", channel)])

    async def _play_or(self, channel: str, code: str, action: str, headers: list[tuple[str, str]]) -> Outcome:
        """Play a code; where there is none, or no PlayDTMF, ask for the action instead."""

        async def ask() -> Message:
            answer = await play_code(self._client, channel, code) if code else None
            if answer is None or refused.kind_of(answer) == refused.NO_ACTION:
                return await self._client.ask(action, headers)
            return answer

        return await outcome_of(action, ask())


async def play_code(client: AmiClient, channel: str, code: str) -> Message:
    """Play a feature code as if the phone had sent it; return the first error, or the last answer."""
    if not code:
        raise ValueError("an empty feature code cannot be played")
    for digit in code:
        headers = [("Channel", channel), ("Digit", digit), ("Receive", "true"), ("Duration", "1")]
        answer = await client.ask("PlayDTMF", headers)
        if refused.kind_of(answer) is not None:
            break
    return answer


async def outcome_of(action: str, asking: Awaitable[Message]) -> Outcome:
    """Wait for an answer and return it as an outcome; the action is named in the log if it is refused."""
    try:
        return outcome_in(action, await asking)
    except NotConnected:
        return UNREACHABLE
    except OutcomeUnknown:
        return UNKNOWN


def outcome_in(action: str, answer: Message) -> Outcome:
    """Return an answer as an outcome; an error that is not about the channel is in the log."""
    kind, text = refused.kind_of(answer), answer.get("Message")
    if kind is None:
        return ACCEPTED
    reason = _REASONS_BY_TEXT.get(text) or _REASONS.get(kind)
    if reason != "no-call":
        structlog.get_logger().warning("pbx-refused", action=action, reason=ascii(text)[:_MOST_TOLD_CHARS])
    return Outcome("failed", reason)
