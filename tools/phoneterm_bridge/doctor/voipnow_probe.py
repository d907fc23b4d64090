"""Tries at a real VoipNow what no source settles, with a test extension, and reports what was seen. Judges nothing.

It acts on calls of the test extension alone, and somebody has to make them: it says when, and waits for them to be in
the list. Digits of numbers, and all ids, are not in the report. Times are seconds.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from phoneterm_bridge.pbx.voipnow.app_token import PATH as TOKEN_PATH
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.https_client import Reply
from phoneterm_bridge.pbx.voipnow.reading import PhoneCall, View, name_in
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi
from phoneterm_bridge.settings.voipnow import VoipNowSettings

_LOOK_EVERY_S = 0.2
_MOST_WAIT_S = 180.0
_EFFECT_S = 15.0
_READS = 30
_ON_CALL = 5
_CALLER_ID_NAME = "phoneterm probe"
_TROUBLE = (NotDone, NoAnswer, Refused, AppRefused)


class Seen(NamedTuple):
    """One point and what was seen of it."""

    point: str
    what: str


class NoCall(Exception):
    """Nobody has made the call that was asked for; the text says which."""


class VoipNowProbe:
    """One run. extension: the test extension as VoipNow has it; tell: gets what somebody has to do, and when."""

    def __init__(
        self, settings: VoipNowSettings, extension: str, tell: Callable[[str], None], most_wait_s: float = _MOST_WAIT_S,
        is_composed: bool = False,
    ) -> None:  # fmt: skip
        """Ask nothing yet. most_wait_s: for a call that somebody has to make; is_composed: try what a composed transfer
        needs, too."""
        self._api = UnifiedApi(settings, self._note)
        self._extension = extension
        self._tell = tell
        self._most_wait_s = most_wait_s
        self._is_composed = is_composed
        self._steps = 4 if is_composed else 3
        self._seen: list[Seen] = []
        self._last: dict[str, Reply] = {}  # by method; "TOKEN" for the token's

    async def run(self, target: str | None, wrong: str | None) -> list[Seen]:
        """Return what was seen. target, wrong: a number that exists, and one that does not; None: no calls are made."""
        try:
            await self._look_at_token()
            await self._look_at_lists()
            await self._look_at_rate()
            if target is not None and wrong is not None:
                await self._look_at_calls(target, wrong)
        except NoCall as missing:
            self._add("what was not tried", str(missing))
        except _TROUBLE as trouble:
            self._add("what ended this run", str(trouble) or type(trouble).__name__)
        finally:
            await self._api.close()
        return self._seen

    async def _look_at_token(self) -> None:
        await self._api.get_token()
        document = self._last["TOKEN"].document
        self._add("token: fields", ", ".join(sorted(document)))
        self._add("token: expires_in", repr(document.get("expires_in")))

    async def _look_at_lists(self) -> None:
        for name, read in (("one extension", self._api.calls(self._extension)), ("@self", self._api.calls())):
            try:
                calls = await read
                reply = self._last["GET"]
                shape = "nothing (204)" if reply.document is None else ", ".join(sorted(reply.document))
                self._add(f"list of {name}", f"{reply.status}, {len(calls)} calls, fields: {shape}")
            except Refused as refused:
                self._add(f"list of {name}", str(refused))

    async def _look_at_rate(self) -> None:
        """Ask as fast as it answers, for a moment."""
        times_ms, ended = [], "none was refused"
        for _ in range(_READS):
            started_s = time.monotonic()
            try:
                await self._api.calls(self._extension)
            except _TROUBLE as trouble:
                ended = f"then: {trouble}"
                break
            times_ms.append((time.monotonic() - started_s) * 1000)
        slowest = f", {min(times_ms):.0f} to {max(times_ms):.0f} ms" if times_ms else ""
        self._add("rate limit", f"{len(times_ms)} reads in a row{slowest}; {ended}")

    async def _look_at_calls(self, target: str, wrong: str) -> None:
        self._tell(f"1 of {self._steps}: call {self._extension} from another phone now, and pick up.")
        call = await self._wait_for_call()
        self._look_at_shapes(call)
        await self._look_at_index(call)
        await self._look_at_together(call)
        await self._look_at_hold(call)
        await self._look_at_transfer(call, target)
        self._tell(f"2 of {self._steps}: when that call has ended, call {self._extension} again, and pick up.")
        call = await self._wait_for_call(other_than=call.id)
        await self._look_at_wrong_number(call, wrong)
        self._tell(
            f"3 of {self._steps}: make sure that {self._extension} is in a call: if it has ended, call once more."
        )
        call = await self._wait_for_call()
        await self._look_at_hang_up(call)
        if self._is_composed:
            self._tell(f"4 of 4: call {self._extension} once more, and pick up; when it rings again, pick that up too.")
            await self._look_at_composition(await self._wait_for_call(other_than=call.id), target)

    async def _look_at_index(self, call: PhoneCall) -> None:
        """With a single call, a list from index 1 on has it only where the first index is 1."""
        if len(await self._api.calls(self._extension)) != 1:
            return
        found = await self._api.calls_from(self._extension, 1)
        self._add("list of one call, from startIndex 1", "the call is there" if found else "nothing is there")

    async def _look_at_composition(self, call: PhoneCall, target: str) -> None:
        """Hold, make a call, end it, and send the held caller on."""
        if not await self._act("OnHold, then", self._api.hold(self._extension, call.id, self._own(call).id, True)):
            return
        try:
            made = await self._api.make_call(self._extension, target, f"{_CALLER_ID_NAME} <{target}>")
        except _TROUBLE as trouble:
            self._add("a call that is made", f"not taken: {trouble}")
            return
        self._add("a call that is made: its answer", "names the call" if made else "does not name it")
        self._add("a call that is made: seen in the list", await self._until(partial(self._has_other, call.id)))
        other = await self._other(call.id)
        if other is None:
            return
        self._add("a call that is made: named in the list as in its answer", "yes" if other.id == made else "no")
        shown = name_in(self._own(other).caller_id) == _CALLER_ID_NAME
        self._add("a call that is made: its own caller id is shown", "yes" if shown else "no")
        self._add("a call that is made: at first", self._describe_view(self._own(other)))
        other = await self._wait_for_call(other_than=call.id)
        self._add("a call that is made: picked up", self._describe_view(self._own(other)))
        if await self._act("DELETE of it", self._api.hang_up(self._extension, other.id)):
            self._add("DELETE of it: the extension has left it", await self._until(partial(self._has_left, other.id)))
        if await self._act("Transfer on hold", self._api.transfer(self._extension, call.id, target)):
            took = await self._until(partial(self._has_left, call.id))
            self._add("Transfer on hold: the extension has left the call", took)

    async def _other(self, call_id: str) -> PhoneCall | None:
        return next((one for one in await self._api.calls(self._extension) if one.id != call_id), None)

    async def _has_other(self, call_id: str) -> bool:
        return await self._other(call_id) is not None

    def _look_at_shapes(self, call: PhoneCall) -> None:
        entry = self._last["GET"].document.get("entry")
        self._add("list: entry", type(entry).__name__)
        one = next(iter(entry if isinstance(entry, list) else entry.values()))
        self._add("call: fields", _describe(one, ("phoneCallView",)))
        views = one.get("phoneCallView") if isinstance(one, dict) else None
        for at, view in enumerate(views if isinstance(views, list) else [views], 1):
            self._add(f"call: view {at} of {len(call.views)}", _describe(view))

    async def _look_at_together(self, call: PhoneCall) -> None:
        try:
            is_there = call.id in {one.id for one in await self._api.calls()}
        except Refused as refused:
            self._add("@self has the extension's calls", str(refused))
        else:
            self._add("@self has the extension's calls", "yes" if is_there else "no")

    async def _look_at_hold(self, call: PhoneCall) -> None:
        view = self._own(call)
        for is_on, name in ((True, "OnHold"), (False, "OffHold")):
            if not await self._act(name, self._api.hold(self._extension, call.id, view.id, is_on)):
                return
            shown = partial(self._is_hold_shown, call.id, is_on)
            self._add(f"{name}: seen in the list", await self._until(shown))
        now = await self._find(call.id)
        same = now is not None and self._own(now).id == view.id
        views = "the same" if same else "another one"
        self._add("ids after hold", f"call {'gone' if now is None else 'the same'}, view {views}")

    async def _look_at_transfer(self, call: PhoneCall, target: str) -> None:
        if not await self._act("Transfer", self._api.transfer(self._extension, call.id, target)):
            return
        self._add("Transfer: answer", type(self._last["PUT"].document).__name__)
        self._add("Transfer: the extension has left the call", await self._until(partial(self._has_left, call.id)))
        try:
            after = [one for one in await self._api.calls() if one.id == call.id]
            views = [self._describe_view(view) for one in after for view in one.views]
            self._add("Transfer: the call in @self afterwards", "; ".join(views) or "not there under its id")
        except Refused as refused:
            self._add("Transfer: the call in @self afterwards", str(refused))

    async def _look_at_wrong_number(self, call: PhoneCall, wrong: str) -> None:
        is_taken = await self._act("Transfer to a wrong number", self._api.transfer(self._extension, call.id, wrong))
        if is_taken:
            took = await self._until(partial(self._has_left, call.id))
            self._add("Transfer to a wrong number: the extension has left the call", took)

    async def _look_at_hang_up(self, call: PhoneCall) -> None:
        if not await self._act("DELETE", self._api.hang_up(self._extension, call.id)):
            return
        self._add("DELETE: the extension has left the call", await self._until(partial(self._has_left, call.id)))
        try:
            after = [one for one in await self._api.calls() if one.id == call.id]
            views = [self._describe_view(view) for one in after for view in one.views]
            self._add("DELETE: what is left of the call", "; ".join(views) or "nothing")
        except Refused as refused:
            self._add("DELETE: what is left of the call", str(refused))
        self._tell("Look at the other phone: is its call over? Please add that to the report.")

    async def _act(self, name: str, action: Awaitable[None]) -> bool:
        """Return whether an action was taken; note how it was answered, and how fast."""
        started_s = time.monotonic()
        try:
            await action
        except _TROUBLE as trouble:
            self._add(name, f"not taken: {trouble}")
            return False
        self._add(name, f"taken, answered after {(time.monotonic() - started_s) * 1000:.0f} ms")
        return True

    async def _wait_for_call(self, other_than: str = "") -> PhoneCall:
        """Return the extension's call once it is answered; NoCall when none comes."""
        until_s = time.monotonic() + self._most_wait_s
        while time.monotonic() < until_s:
            for call in await self._api.calls(self._extension):
                if call.id != other_than and self._own(call).status == _ON_CALL:
                    return call
            await asyncio.sleep(_LOOK_EVERY_S)
        raise NoCall(f"no call of the test extension was answered within {self._most_wait_s:.0f} s")

    async def _until(self, is_so: Callable[[], Awaitable[bool]]) -> str:
        """Return after how long something was so, in words."""
        started_s = time.monotonic()
        while time.monotonic() - started_s < _EFFECT_S:
            if await is_so():
                return f"after {(time.monotonic() - started_s) * 1000:.0f} ms"
            await asyncio.sleep(_LOOK_EVERY_S / 4)
        return f"not within {_EFFECT_S:.0f} s"

    async def _find(self, call_id: str) -> PhoneCall | None:
        return next((one for one in await self._api.calls(self._extension) if one.id == call_id), None)

    async def _has_left(self, call_id: str) -> bool:
        return await self._find(call_id) is None

    async def _is_hold_shown(self, call_id: str, is_on: bool) -> bool:
        call = await self._find(call_id)
        return call is not None and any(view.is_held for view in call.views) is is_on

    def _own(self, call: PhoneCall) -> View:
        return next((view for view in call.views if view.extension == self._extension), call.views[0])

    def _describe_view(self, view: View) -> str:
        who = "the test extension" if view.extension == self._extension else mask(view.extension)
        return f"{who}: status {view.status}, flow {view.flow}{', on hold' * view.is_held}"

    def _note(self, method: str, path: str, reply: Reply) -> None:
        self._last["TOKEN" if path == TOKEN_PATH else method] = reply

    def _add(self, point: str, what: str) -> None:
        self._seen.append(Seen(point, what))


def mask(text: object) -> str:
    """Return a text with every digit and letter of a number or an id made unreadable."""
    return re.sub(r"[0-9]", "d", re.sub(r"[A-Za-z]", "a", str(text)))


def _describe(entry: Any, without: tuple[str, ...] = ()) -> str:
    """Return the fields of an object with the shapes of their values, but no number of anybody."""
    if not isinstance(entry, dict):
        return type(entry).__name__
    plain = ("flow", "status", "holder", "disposition")
    words = [
        f"{name}={entry[name]!r}" if name in plain else f"{name}={mask(entry[name])}"
        for name in sorted(entry)
        if name not in without
    ]
    return ", ".join(words)
