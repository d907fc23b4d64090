"""Counts the keys that a chip hears: taps at its pins, and the time from each to its blip or message.

Does not judge. A tap begins at a random time, so that it falls anywhere within the chip's ticks.
"""

import asyncio
import contextlib
import random
import time
from typing import Any

from desk_lab.installation import CALLER, EXTENSION
from fault_lab.faults import DOWN, UP
from phoneterm.core import messages

from chip_lab.installation import ChipInstallation

SWAP = "D"
_LATE_S = 1.0
_KEYS_OF_A_NUMBER = 20  # the terminal ends a number that takes too long
_QUIET_S = 1.0  # after a number, before the next one counts
_BOUNCES = 3  # of a contact, before it stays closed and after it opens
_BOUNCE_S = 0.0007
_REST_S = 0.12  # a key has to be up for a while before it counts as pressed again
_CONSULTING_S = 60


async def place_call(installation: ChipInstallation) -> None:
    """Let 103 call 101, and both talk."""
    await installation.lab.place_call(CALLER, EXTENSION)
    await installation.keypad.wait_for_event(lambda event: event.get("line") == "call talking", _CONSULTING_S)
    await asyncio.sleep(1)


class Taps:
    """A consultation, in which the swap key is a command at once; `run` may be called repeatedly.

    It waits for the answer to each command, so none is refused because others wait.
    """

    def __init__(self, installation: ChipInstallation, seed: int = 1) -> None:
        self._installation = installation
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._sent_s = 0.0
        self._sent, self._answered = asyncio.Event(), asyncio.Event()

    async def begin(self) -> None:
        """Let 101, who talks to 103, talk to 102 while 103 is on hold."""
        await self._installation.key_until("*2102", lambda legs: any(leg.is_on_hold for leg in legs))
        await self._installation.keypad.wait_for_signal("consulting", _CONSULTING_S)
        await asyncio.sleep(1)

    async def run(self, count: int, hold_ms: int, bounces: bool = False) -> list[float]:
        """Tap that often; return the delay in ms from contact to message of each tap heard."""
        delays_ms = []
        end = self._installation.watch(self._take)
        try:
            for _ in range(count):
                delay_ms = await self._tap(hold_ms, bounces)
                if delay_ms is not None:
                    delays_ms.append(delay_ms)
        finally:
            end()
        return delays_ms

    async def _tap(self, hold_ms: int, bounces: bool) -> float | None:
        await asyncio.sleep(_REST_S + self._random.random() / 50)
        self._sent.clear()
        self._answered.clear()
        began_s = time.monotonic()
        if bounces:
            await self._bounce(True)
        await self._installation.phone.type(SWAP, hold_ms, 0)
        if bounces:
            await self._bounce(False)
        try:
            async with asyncio.timeout(_LATE_S):
                await self._sent.wait()
                await self._answered.wait()
        except TimeoutError:
            if not self._sent.is_set():
                return None
        return (self._sent_s - began_s) * 1000

    async def _bounce(self, closes: bool) -> None:
        """Let the contact bounce before it closes, or after it has opened."""
        for _ in range(_BOUNCES):
            for is_down in (True, False):
                self._installation.phone.set_key(SWAP, is_down)
                await asyncio.sleep(_BOUNCE_S if closes or is_down else 2 * _BOUNCE_S)

    def _take(self, direction: str, topic: str, document: dict[str, Any]) -> None:
        if direction == UP and topic.endswith(messages.COMMAND) and not self._sent.is_set():
            self._sent_s = time.monotonic()
            self._sent.set()
        elif direction == DOWN and topic.endswith(messages.RESULT):
            self._answered.set()


# For the end of board.py: the terminal prints each change at the keypad as soon as its sampler has seen it.
PRINTS_KEYS = b"""
import asyncio

class _ToldFlag(asyncio.ThreadSafeFlag):
    def set(self):
        print("key-seen")
        super().set()

asyncio.ThreadSafeFlag = _ToldFlag
"""


class Digits:
    """Keys of a number that is never complete: how soon each is seen, and answered by a blip. Nothing is sent.

    101 must be talking, and the board's file must end with PRINTS_KEYS. Times are those of lines at the serial port,
    which come about 1 ms late.
    """

    def __init__(self, installation: ChipInstallation, seed: int = 1) -> None:
        self._installation = installation
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._times_ms: dict[str, float] = {}
        self._blip = asyncio.Event()

    async def run(self, count: int, hold_ms: int) -> tuple[list[float], list[float]]:
        """Tap that often; return the delays in ms from contact to key, and from contact to blip, of each tap heard."""
        seen_ms: list[float] = []
        blips_ms: list[float] = []
        end = self._installation.phone.events.listen(self._take)
        try:
            for start in range(0, count, _KEYS_OF_A_NUMBER):
                await self._installation.phone.type("#1", 80, 80)
                for index in range(min(_KEYS_OF_A_NUMBER, count - start)):
                    contact_ms = await self._tap("1B"[index % 2], hold_ms)
                    if self._blip.is_set():
                        seen_ms.append(self._times_ms["key-seen"] - contact_ms)
                        blips_ms.append(self._times_ms["blip"] - contact_ms)
                await self._installation.phone.type("C", 80, 0)
                await asyncio.sleep(_QUIET_S)
        finally:
            end()
        return seen_ms, blips_ms

    async def _tap(self, legend: str, hold_ms: int) -> float:
        await asyncio.sleep(_REST_S + self._random.random() / 50)
        self._times_ms.clear()
        self._blip.clear()
        strokes = await self._installation.phone.type(legend, hold_ms, 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LATE_S):
                await self._blip.wait()
        return strokes[0].at_ms

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "log" and event["line"].endswith("key-seen"):
            self._times_ms.setdefault("key-seen", event["time_ms"])
        elif event["event"] == "signal" and event["name"] == "key" and "key-seen" in self._times_ms:
            self._times_ms.setdefault("blip", event["time_ms"])
            self._blip.set()
