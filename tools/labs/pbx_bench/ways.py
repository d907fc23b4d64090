"""The ways to start an attended transfer at Asterisk: each as plain AMI code, and the bridge's own.

Does not measure. A way is a coroutine function that returns once all actions are sent; the PBX's events show the
result. The number is that of a lab's phone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pbx_lab.lab import CONTEXT
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.port import Target

USER, COLLEAGUE, CALLER = "101", "102", "103"


@dataclass(frozen=True)
class Desk:
    """What a way works with: a plain AMI login, the user's channel, and a backend of the bridge."""

    client: AmiClient
    channel: str
    pbx: AsteriskPbx


@dataclass(frozen=True)
class Way:
    """name: for people. codes: the lab's feature codes for it. known_ms: hold and dialling, by tone length.

    known_ms are earlier medians on Asterisk 22.10, to see at a glance if something has changed.
    """

    name: str
    codes: str
    known_ms: dict[int, tuple[int, int | None]]
    start: Callable[[Desk], Awaitable[None]]


async def start_by_atxfer(desk: Desk) -> None:
    """Let Asterisk play code and digits."""
    headers = [("Channel", desk.channel), ("Exten", COLLEAGUE), ("Context", CONTEXT)]
    await desk.client.ask("Atxfer", headers)


async def start_by_stock_code(desk: Desk) -> None:
    """Put the number into a variable and play *2."""
    await _start_by_code(desk, "*2")


async def start_by_letter(desk: Desk) -> None:
    """Put the number into a variable and play D."""
    await _start_by_code(desk, "D")


async def start_by_bridge(desk: Desk) -> None:
    """Let the bridge's backend do it, with all its checks, in the way it chose at connect."""
    (call,) = desk.pbx.calls(USER)
    outcome = await desk.pbx.carry_out("attended", call, Target(CONTEXT, COLLEAGUE))
    if outcome.state != "accepted":
        raise ConnectionError(f"the backend did not start the transfer: {outcome.reason or outcome.state}")


async def _start_by_code(desk: Desk, code: str) -> None:
    for name, value in (("TRANSFER_EXTEN", COLLEAGUE), ("TRANSFER_CONTEXT", CONTEXT)):
        await desk.client.ask("Setvar", [("Channel", desk.channel), ("Variable", name), ("Value", value)])
    for digit in code:
        headers = [("Channel", desk.channel), ("Digit", digit), ("Receive", "true"), ("Duration", "1")]
        await desk.client.ask("PlayDTMF", headers)


WAYS = (
    Way("Atxfer: code and digits played", "stock", {20: (261, 445)}, start_by_atxfer),
    Way("*2 played, number in a variable", "stock", {20: (103, 106), 80: (210, 215)}, start_by_stock_code),
    Way("the bridge, where the codes are *2 *1 *4", "stock", {}, start_by_bridge),
    Way("one letter played, number in a variable", "letters", {20: (22, 24), 80: (84, 86)}, start_by_letter),
    Way("the bridge, where the codes are letters", "letters", {}, start_by_bridge),
)
