"""A PBX of plain values: whoever has it sets calls and outcomes, and reads what it was asked. Transfers nothing."""

import asyncio
import time

from phoneterm.core import operations
from phoneterm_bridge.pbx.port import Call, Destination, Outcome, PbxListener, Target


class FakePbx:
    """See Pbx. `now`: the calls of each endpoint; `numbers`: those that the dialplan has; `asked`: all requests."""

    web_hook = None

    def __init__(self) -> None:
        self.operations = frozenset(operations.names())
        self.is_available = True
        self.is_login_refused = False
        self.trouble: str | None = None
        self.now: dict[str, tuple[Call, ...]] = {"101": (talking("c1"),)}
        self.numbers = {"100", "102", "103", "0301234567"}
        self.destinations: dict[str, Destination] = {}
        self.asked: list[tuple[str, ...]] = []
        self.outcome: Outcome | Exception = Outcome("accepted")
        self.answering = asyncio.Event()
        self.answering.set()
        self.listener: PbxListener | None = None

    def listen(self, listener: PbxListener) -> None:
        """Name the one listener."""
        self.listener = listener

    def watch(self, endpoints: frozenset[str]) -> None:
        """Note the endpoints."""
        self.endpoints = endpoints

    async def start(self) -> None:
        """Tell that it is available, or not."""
        if self.listener is not None:
            self.listener.on_availability(self.is_available)

    async def stop(self) -> None:
        """Tell nobody anything any more."""
        self.listener = None

    def calls(self, endpoint: str) -> tuple[Call, ...]:
        """Return the endpoint's calls."""
        return self.now.get(endpoint, ())

    def change_calls(self, endpoint: str, *calls: Call) -> None:
        """Give an endpoint other calls, and tell so."""
        self.now[endpoint] = calls
        if self.listener is not None:
            self.listener.on_calls_changed(endpoint)

    def end_transfer(self, ref: str = "c1", state: str = "done", reason: str | None = None) -> None:
        """Tell that a transfer of a call has ended."""
        if self.listener is not None:
            self.listener.on_progress(ref, state, reason)

    def remark_on(self, operation: str) -> str | None:
        """Know nothing."""
        return None

    def why_ended(self, ref: str) -> str:
        """Know nothing."""
        return "no-call"

    async def is_known_number(self, context: str, number: str) -> bool | None:
        """Say whether it is one of `numbers`."""
        assert context == "internal"
        return number in self.numbers

    async def destination_of(self, context: str, number: str) -> Destination | None:
        """Say what `destinations` has."""
        return self.destinations.get(number)

    async def carry_out(self, operation: str, call: Call, target: Target | None) -> Outcome:
        """Note what was asked, and answer with `outcome` while `answering` is set."""
        if operation not in self.operations:
            return Outcome("failed", "unsupported")
        self.asked.append((operation, call.ref, *(target or ())))
        await self.answering.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def talking(
    ref: str, since_s: float | None = None, state: str = "talking", peer: str = "030555",
    lines: tuple[str, ...] = ("trunk",),
) -> Call:  # fmt: skip
    """Return a call of the endpoint 101 that has been up for a minute, or since a moment."""
    since_s = time.monotonic() - 60 if since_s is None else since_s
    return Call(ref, "101", state, since_s, peer, frozenset(lines))
