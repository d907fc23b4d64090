"""Counts the keys that a chip hears: taps at its pins, each of which is one message, and how long it takes to come.

Does not judge. 101 is in a consultation, where the swap key is a command at once; the answer to each is waited for, so
none is refused because others wait. When a tap begins is random, so that it falls anywhere into the chip's ticks.
"""

import asyncio
import random
import time
from typing import Any

from fault_lab.faults import DOWN, UP
from phoneterm.core import messages
from phoneterm_cli.installation import CALLER, EXTENSION

from chip_lab.installation import ChipInstallation

SWAP = "D"
_LATE_S = 1.0
_REST_S = 0.12  # a key has to be up for a while before it counts as pressed again
_CONSULTING_S = 60


class Taps:
    """A consultation and its messages. `run` may be called again and again."""

    def __init__(self, installation: ChipInstallation, seed: int = 1) -> None:
        self._installation = installation
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._sent_s = 0.0
        self._sent, self._answered = asyncio.Event(), asyncio.Event()

    async def begin(self) -> None:
        """Have 101 talk to 102 while 103 is on hold."""
        lab, keypad = self._installation.lab, self._installation.keypad
        await lab.place_call(CALLER, EXTENSION)
        await keypad.wait_for_event(lambda event: event.get("line") == "call talking", _CONSULTING_S)
        await asyncio.sleep(1)
        await self._installation.key_until("*2102", lambda legs: any(leg.is_on_hold for leg in legs))
        await keypad.wait_for_signal("consulting", _CONSULTING_S)
        await asyncio.sleep(1)

    async def run(self, count: int, hold_ms: int) -> list[float]:
        """Tap that often; return the delay of each tap that was heard, from contact to message, in ms."""
        delays_ms = []
        end = self._installation.watch(self._take)
        try:
            for _ in range(count):
                delay_ms = await self._tap(hold_ms)
                if delay_ms is not None:
                    delays_ms.append(delay_ms)
        finally:
            end()
        return delays_ms

    async def _tap(self, hold_ms: int) -> float | None:
        await asyncio.sleep(_REST_S + self._random.random() / 50)
        self._sent.clear()
        self._answered.clear()
        began_s = time.monotonic()
        await self._installation.phone.type(SWAP, hold_ms, 0)
        try:
            async with asyncio.timeout(_LATE_S):
                await self._sent.wait()
                await self._answered.wait()
        except TimeoutError:
            if not self._sent.is_set():
                return None
        return (self._sent_s - began_s) * 1000

    def _take(self, direction: str, topic: str, document: dict[str, Any]) -> None:
        if direction == UP and topic.endswith(messages.COMMAND) and not self._sent.is_set():
            self._sent_s = time.monotonic()
            self._sent.set()
        elif direction == DOWN and topic.endswith(messages.RESULT):
            self._answered.set()
