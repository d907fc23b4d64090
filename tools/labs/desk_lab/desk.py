"""The desk as somebody sees and uses it: the picture of the calls, the phone, and what everybody can do.

Shows nothing and starts no part: prompt, page and full screen show it, and an `Installation` is started before. What
cannot be done raises one of `PROBLEMS`, with a sentence. A key is down for as long as somebody holds it; whoever holds
keys has a name, so that those of a page that is gone are let go.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from pbx_lab.lab import BEHAVIOURS, ENDPOINTS
from pbx_lab.process import LabFailed
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from virtual_phone.client import PhoneError

from desk_lab.call_picture import RINGS, CallPicture, Picture, describe
from desk_lab.installation import CALLER, EXTENSION, TID, Installation
from desk_lab.phone_view import LEGENDS, PhoneView

PROBLEMS = (ValueError, LabFailed, PhoneError, NotConnected, OutcomeUnknown, AmiRefused)
MOST_KEYS = 64
_LOOK_S = 0.1
_GAP_S = 0.06  # so that the same key, pressed once more, is a new press to the phone
_MOST_LINES = 60

Event = dict[str, Any]


class Line(NamedTuple):
    """Something that has happened. number: counts up; at_s: of the wall clock; source: "calls" or "phone"."""

    number: int
    at_s: float
    source: str
    text: str


class Desk:
    """One desk. Listeners hear the phone's events, and "calls", "line" and "standing" when those have changed.

    standing: what phones do with the next call (`behaviours`), and the permission (`is_allowed`).
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._lab = installation.lab
        self._keypad = installation.keypad
        self._calls = CallPicture()
        self._listeners: list[Callable[[Event], None]] = []
        self._holders: dict[str, set[str]] = {}
        self._typing = asyncio.Lock()
        self._watchers: list[asyncio.Task[None]] = []
        self._begun = asyncio.Event()
        self._last_said = ""  # of the calls
        self.picture = Picture()
        self.phone = PhoneView()
        self.lines: deque[Line] = deque(maxlen=_MOST_LINES)
        self.behaviours = dict.fromkeys(ENDPOINTS, BEHAVIOURS[0])
        self.is_allowed = self._is_allowed()
        pbx = installation.bridge.parts.pbx
        self.can_consult = "attended" in pbx.operations
        self.is_composed = pbx.remark_on("attended") == "composed"  # of hold, call and transfer

    async def start(self) -> None:
        """Begin to watch calls and phone; return once both were seen."""
        await self._look_at_calls()
        self._watchers = [asyncio.create_task(self._watch_phone()), asyncio.create_task(self._watch_calls())]
        await self._begun.wait()

    async def stop(self) -> None:
        """Stop watching; everything goes on as it is."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; return a function that ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def press(self, legend: str, holder: str) -> None:
        """Press a key, and keep it down until `let_go`."""
        if len(legend) != 1 or legend not in LEGENDS:
            raise ValueError(f"there is no key {legend[:8]!r}; the keys are {LEGENDS}")
        holders = self._holders.setdefault(legend, set())
        is_first = not holders
        holders.add(holder)
        if is_first:
            await self._keypad.hold(legend)

    async def let_go(self, legend: str, holder: str) -> None:
        """Let a key go, unless somebody else holds it too."""
        holders = self._holders.get(legend, set())
        if holder in holders:
            holders.discard(holder)
            if not holders:
                await self._keypad.release(legend)

    async def let_go_all(self, holder: str) -> None:
        """Let everything go that somebody holds, who may be gone."""
        for legend in [legend for legend, holders in self._holders.items() if holder in holders]:
            with suppress(PhoneError):
                await self.let_go(legend, holder)

    async def type(self, keys: str) -> None:
        """Press keys one after the other, after those that somebody else has typed before."""
        if not 0 < len(keys) <= MOST_KEYS:
            raise ValueError(f"this takes 1 to {MOST_KEYS} keys")
        async with self._typing:
            await self._keypad.type(keys)
            await asyncio.sleep(_GAP_S)

    async def call(self, caller: str = CALLER, number: str = EXTENSION) -> None:
        """Call a number from a phone; return when it is answered, or rings at a phone that only rings."""
        _require_phone(caller)
        if not number.isascii() or not number.isalnum() or len(number) > 20:
            raise ValueError(f"{number[:24]!r} is no number")
        if number == caller:
            raise ValueError(f"{caller} cannot call itself")
        await self._lab.place_call(caller, number)

    async def place_usual_call(self) -> None:
        """Have the caller call the extension; return once they talk and the terminal knows it."""
        await self._installation.place_call()

    async def answer(self, endpoint: str) -> None:
        """Pick up a phone that rings."""
        await self._lab.answer(endpoint)

    async def hang_up(self, endpoint: str) -> None:
        """Hang up at a phone, in all its calls."""
        states = {party.state for _, party in self.picture.of(endpoint)}
        if states and states <= {RINGS}:
            raise ValueError(f"{endpoint} rings: it can answer, or let it ring")
        await self._lab.hang_up(endpoint)

    async def hold(self, endpoint: str) -> None:
        """Put the other party of a phone's call on hold."""
        await self._lab.hold(endpoint)

    async def take_back(self, endpoint: str) -> None:
        """Take the other party of a phone's call back from hold."""
        await self._lab.unhold(endpoint)

    async def set_behaviour(self, endpoint: str, behaviour: str) -> None:
        """Set what a phone does with the next call: one of BEHAVIOURS."""
        _require_phone(endpoint)
        await self._lab.set_behaviour(endpoint, behaviour)
        self.behaviours[endpoint] = behaviour
        self._tell({"event": "standing"})

    async def set_permission(self, is_allowed: bool) -> None:
        """Flip the permission *User is multi user aware*; the terminal hears of it at once."""
        await self._installation.set_permission(is_allowed)
        self._look_at_permission()

    async def _watch_calls(self) -> None:
        is_up = False
        while True:
            with suppress(*PROBLEMS, OSError, TimeoutError):  # the next look comes all the same
                await self._look_at_calls()
                if self._begun.is_set() and self.picture.is_up(EXTENSION) is not is_up:
                    is_up = not is_up
                    await self._keypad.hook("off" if is_up else "on")
            self._look_at_permission()
            await asyncio.sleep(_LOOK_S)

    async def _look_at_calls(self) -> None:
        picture = self._calls.look(await self._lab.legs())
        if picture != self.picture or not self.lines:
            self.picture = picture
            self._tell({"event": "calls"})
            if describe(picture) != self._last_said:
                self._last_said = describe(picture)
                self._note("calls", self._last_said)

    async def _watch_phone(self) -> None:
        last = ""
        events = self._keypad.events()
        first = asyncio.ensure_future(anext(events, None))
        await asyncio.sleep(0)  # lets it begin to listen: no event after the state is missed
        try:
            self.phone.begin(await self._keypad.state())
        finally:
            self._begun.set()
        event = await first
        while event is not None:
            self.phone.follow(event)
            self._tell(event)
            if event["event"] == "signal" and event["name"] not in ("key", last, None):
                last = event["name"]
                self._note("phone", last)
            event = await anext(events, None)
        self.phone = PhoneView()
        self._tell({"event": "power-lost", "time_ms": time.monotonic() * 1000})
        self._note("phone", "is gone")

    def _look_at_permission(self) -> None:
        is_allowed = self._is_allowed()
        if is_allowed != self.is_allowed:
            self.is_allowed = is_allowed
            self._tell({"event": "standing"})

    def _is_allowed(self) -> bool:
        record = self._installation.bridge.parts.directory.find(TID)
        return record is not None and record.is_multi_user_aware

    def _note(self, source: str, text: str) -> None:
        number = self.lines[-1].number + 1 if self.lines else 1
        self.lines.append(Line(number, time.time(), source, text))
        self._tell({"event": "line"})

    def _tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(event)


def describe_problem(problem: BaseException) -> str:
    """Return one of PROBLEMS as a sentence."""
    text = str(problem)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _require_phone(endpoint: str) -> None:
    if endpoint not in ENDPOINTS:
        raise ValueError(f"there is no phone {endpoint[:12]!r}; there are {', '.join(ENDPOINTS)}")
