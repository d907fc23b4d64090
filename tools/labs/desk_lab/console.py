"""The prompt of `phoneterm run`: presses keys, moves calls, flips the permission, and reports what happens.

Does not know the inside of PBX, bridge or firmware: it uses the `Desk`. A line that cannot be carried out gets one
sentence, and the prompt goes on. When its input has ended it says so, and everything goes on until it is stopped.
"""

import asyncio
import contextlib
import io
import threading
from collections.abc import AsyncIterator, Callable
from typing import TextIO

from pbx_lab.lab import BEHAVIOURS, ENDPOINTS
from phoneterm_bridge.wording.outside import show
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from desk_lab.call_picture import describe
from desk_lab.desk import PROBLEMS, Desk, Event, describe_problem
from desk_lab.installation import CALLER, EXTENSION
from desk_lab.phone_view import LEGENDS

KEYS = frozenset(LEGENDS)
_MOST_LINE_CHARS = 200
_MOST_SHOWN_CHARS = 40  # of a line that means nothing
_MOST_WAITING = 16  # lines
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
    """Reads lines from `source` until quit, and prints through `say`. Ctrl-C at the prompt is quit, too."""

    def __init__(self, desk: Desk, source: TextIO, say: Callable[[str], None]) -> None:
        self._desk = desk
        self._source = source
        self._say = say
        self._said = 0  # the number of the last line of the desk that was printed

    async def run(self) -> None:
        """Carry out lines, and report every change. The end of the input leaves everything running."""
        self._say_news({"event": "line"})
        end = self._desk.listen(self._say_news)
        try:
            if self._source.isatty():
                with patch_stdout():
                    has_ended = await self._obey(_prompt())
            else:
                has_ended = await self._obey(_read_lines(self._source))
            if has_ended:
                self._say("The input has ended. Everything goes on, the page too, until Ctrl-C or SIGTERM stops it.")
                await asyncio.Event().wait()
        finally:
            end()

    async def _obey(self, lines: AsyncIterator[str]) -> bool:
        """Carry out lines; return whether they have ended without quit."""
        async for line in lines:
            words = line.split()
            if words in (["quit"], ["exit"]):
                return False
            if not words:
                continue
            try:
                await self._do(words)
            except PROBLEMS as problem:
                self._say(describe_problem(problem))
        return True

    async def _do(self, words: list[str]) -> None:
        """Carry out one line; ValueError says why it is wrong."""
        first, rest, desk = words[0], words[1:], self._desk
        if KEYS.issuperset("".join(words)) and not (first in ENDPOINTS and rest):
            await desk.type("".join(words))
        elif words == ["call"]:
            await desk.place_usual_call()
        elif first == "call" and len(rest) <= 2:
            await desk.call(*(rest + [CALLER, EXTENSION][len(rest) :]))
        elif first == "hang" and rest[:1] == ["up"] and len(rest) <= 2:
            await desk.hang_up(rest[1] if len(rest) == 2 else EXTENSION)
        elif first == "answer" and len(rest) == 1:
            await desk.answer(rest[0])
        elif first in ENDPOINTS and len(rest) == 1:
            await desk.set_behaviour(first, rest[0])
        elif first in ("allow", "deny") and not rest:
            await desk.set_permission(first == "allow")
        elif words == ["state"]:
            self._tell_state()
        elif words == ["help"]:
            self._say(HELP)
        else:
            said = show(" ".join(words)[:_MOST_SHOWN_CHARS])
            raise ValueError(f"'{said}' is neither keys nor a command: 'help' lists them")

    def _tell_state(self) -> None:
        phone = self._desk.phone
        self._say(f"  calls: {describe(self._desk.picture)}")
        self._say(f"  phone: signal {phone.signal}, display {phone.display and list(phone.display)}")

    def _say_news(self, event: Event) -> None:
        if event["event"] != "line":
            return
        for line in tuple(self._desk.lines):
            if line.number > self._said:
                self._said = line.number
                self._say(f"  {line.source}: {line.text}")


async def _prompt() -> AsyncIterator[str]:
    session: PromptSession[str] = PromptSession()
    while True:
        try:
            # Ctrl-C is a key here; a signal is for `phoneterm run`, also when the prompt is no more.
            yield await session.prompt_async("> ", handle_sigint=False)
        except EOFError:
            return
        except KeyboardInterrupt:
            yield "quit"


async def _read_lines(source: TextIO) -> AsyncIterator[str]:
    """Yield the lines of a pipe or a file as they come; a thread reads, so that a silent pipe blocks nothing."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    room = threading.Semaphore(_MOST_WAITING)  # what comes without end must not be kept without end
    if isinstance(source, io.TextIOWrapper):
        source.reconfigure(errors="replace")

    def read() -> None:
        line = " "
        while line:
            room.acquire()
            try:
                line = source.readline(_MOST_LINE_CHARS)
            except OSError:  # a terminal that is gone, or what cannot be read
                line = ""
            with contextlib.suppress(RuntimeError):  # the loop may be gone by the time a line comes
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        room.release()
        yield line
