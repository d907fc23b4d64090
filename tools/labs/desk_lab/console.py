"""The prompt of `phoneterm run`: presses keys, moves calls, flips the permission, and reports what happens.

Does not know the inside of PBX, bridge or firmware: it uses `Installation`. A line that cannot be carried out gets one
sentence, and the prompt goes on.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import TextIO

from pbx_lab.lab import BEHAVIOURS, ENDPOINTS, Leg
from pbx_lab.process import LabFailed
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from virtual_phone.client import PhoneError

from desk_lab.installation import CALLER, EXTENSION, Installation

KEYS = frozenset("0123456789ABCD*#")
_LOOK_S = 0.1
HELP = f"""\
  #1102, *2102, A ...   press keys; A completes, B erases, C cancels, D swaps
  call [FROM [TO]]      place a call, {CALLER} to {EXTENSION} unless told otherwise
  hang up [WHO]         {EXTENSION} hangs up, or another
  answer WHO            pick up a phone that rings
  WHO BEHAVIOUR         what a phone does with the next call: {", ".join(BEHAVIOURS)}
  allow, deny           the permission User is multi user aware of {EXTENSION}'s user
  state                 who is in which call, and what the phone shows
  quit                  stop everything"""


class Console:
    """Reads lines from `source` until quit or its end, and prints through `say`."""

    def __init__(self, installation: Installation, source: TextIO, say: Callable[[str], None]) -> None:
        self._installation = installation
        self._lab = installation.lab
        self._keypad = installation.keypad
        self._source = source
        self._say = say
        self._last_calls = ""

    async def run(self) -> None:
        """Carry out lines, and report every change. The end of piped input leaves everything running."""
        watchers = [asyncio.create_task(self._watch_calls()), asyncio.create_task(self._watch_phone())]
        try:
            if self._source.isatty():
                with patch_stdout():
                    await self._obey(_prompt())
            else:
                await self._obey(_read_lines(self._source))
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)

    async def _obey(self, lines: AsyncIterator[str]) -> None:
        async for line in lines:
            words = line.split()
            if words in (["quit"], ["exit"]):
                return
            if not words:
                continue
            try:
                await self._do(words)
            except (ValueError, LabFailed, PhoneError) as error:
                self._say(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        if not self._source.isatty():
            await asyncio.Event().wait()

    async def _do(self, words: list[str]) -> None:
        """Carry out one line; ValueError says why it is wrong."""
        first, rest = words[0], words[1:]
        if KEYS.issuperset("".join(words)) and not (first in ENDPOINTS and rest):
            await self._keypad.type("".join(words))
        elif words == ["call"]:
            await self._installation.place_call()
        elif first == "call" and len(rest) <= 2:
            await self._lab.place_call(*(rest + [CALLER, EXTENSION][len(rest) :]))
        elif first == "hang" and rest[:1] == ["up"] and len(rest) <= 2:
            await self._lab.hang_up(rest[1] if len(rest) == 2 else EXTENSION)
        elif first == "answer" and len(rest) == 1:
            await self._lab.answer(rest[0])
        elif first in ENDPOINTS and len(rest) == 1:
            await self._lab.set_behaviour(first, rest[0])
        elif first in ("allow", "deny") and not rest:
            await self._installation.set_permission(first == "allow")
        elif words == ["state"]:
            await self._tell_state()
        elif words == ["help"]:
            self._say(HELP)
        else:
            raise ValueError(f"'{' '.join(words)}' is neither keys nor a command: 'help' lists them")

    async def _tell_state(self) -> None:
        seen = await self._keypad.state()
        self._say(f"  calls: {describe(await self._lab.legs())}")
        self._say(f"  phone: signal {seen['signal']}, display {seen['display']}")

    async def _watch_calls(self) -> None:
        while True:
            calls = describe(await self._lab.legs())
            if calls != self._last_calls:
                self._last_calls = calls
                self._say(f"  calls: {calls}")
            await asyncio.sleep(_LOOK_S)

    async def _watch_phone(self) -> None:
        last = ""
        async for event in self._keypad.events():
            if event["event"] == "signal" and event["name"] not in ("key", last):
                last = event["name"]
                self._say(f"  phone: {last}")


def describe(legs: list[Leg]) -> str:
    """Return everybody's calls as one line."""
    if not legs:
        return "none"
    return "; ".join(_describe_leg(leg) for leg in sorted(legs, key=lambda leg: leg.endpoint))


def _describe_leg(leg: Leg) -> str:
    if leg.state == "ringing":
        return f"{leg.endpoint} rings"
    if leg.state != "up":
        return f"{leg.endpoint} is calling"
    if leg.is_on_hold:
        return f"{leg.endpoint} is on hold"
    return f"{leg.endpoint} talks to {leg.connected_to}" if leg.connected_to else f"{leg.endpoint} waits"


async def _prompt() -> AsyncIterator[str]:
    session: PromptSession[str] = PromptSession()
    while True:
        try:
            yield await session.prompt_async("> ")
        except (EOFError, KeyboardInterrupt):
            return


async def _read_lines(source: TextIO) -> AsyncIterator[str]:
    """Yield the lines of a pipe or a file as they come; a thread reads, so that a silent pipe blocks nothing."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        while True:
            line = source.readline()
            with contextlib.suppress(RuntimeError):  # the loop may be gone by the time a line comes
                loop.call_soon_threadsafe(lines.put_nowait, line)
            if not line:
                return

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        yield line
