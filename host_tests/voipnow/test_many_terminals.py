"""Two hundred terminals: how much VoipNow is asked for, and that nobody waits because of another."""

import asyncio
from collections import Counter

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from phoneterm_bridge.pbx.port import Outcome, Target
from phoneterm_bridge.pbx.voipnow.backend import VoipNowPbx
from voipnow.conftest import ShiftedClock
from voipnow.scripted import Scripted, say

TERMINALS = frozenset(str(number) for number in range(1000, 1200))
EXTENSIONS = sorted(f"0003*{one}" for one in TERMINALS)
FIRST, LAST = EXTENSIONS[0], EXTENSIONS[-1]
NO_CALLS = {"totalResults": 0}


def talking(extension, call_id="c1"):
    view = {"id": "01", "extension": extension, "source": ["0123"], "destination": [extension], "flow": 8, "status": 5}
    return {"totalResults": 1, "entry": [{"id": call_id, "phoneCallView": [view]}]}


def asked(request):
    """Return whose calls a request is for."""
    return request.path.split("/")[4]


class Site:
    """A bridge's backend with many terminals, at a server whose answers a test writes; it is the listener too."""

    def __init__(self, scripted, clock, **changes):
        self.scripted = scripted
        self.pbx = VoipNowPbx(scripted.settings(**({"poll_ms": 100} | changes)), clock)
        self.pbx.listen(self)
        self.availability, self.progress = [], []

    async def __aenter__(self):
        self.pbx.watch(TERMINALS)
        await self.pbx.start()
        return self

    async def __aexit__(self, *_):
        await self.pbx.stop()

    def on_availability(self, is_available):
        self.availability.append(is_available)

    def on_calls_changed(self, endpoint):
        pass

    def on_progress(self, ref, state, reason):
        self.progress.append((state, reason))

    def on_arrival(self, ref, word, reason):
        pass

    def calls(self, extension):
        return self.pbx.calls(extension.removeprefix("0003*"))

    async def send_away(self, extension):
        (call,) = self.calls(extension)
        return await self.pbx.carry_out("blind", call, Target("internal", "0456"))


@pytest_asyncio.fixture
async def scripted(tmp_path):
    """A server whose answers the test writes."""
    scripted = Scripted(tmp_path)
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
def clock():
    """The backend's clock."""
    return ShiftedClock()


async def test_together_they_are_one_request(scripted, clock):
    async with Site(scripted, clock) as site:
        await until(lambda: len(scripted.requests) >= 3)
        assert {asked(one) for one in scripted.requests} == {"@self"}
        assert site.availability == [True]


async def test_one_by_one_each_is_asked_for_once_in_a_round(scripted, clock):
    async with Site(scripted, clock, lists="each", poll_ms=60_000) as site:
        assert Counter(map(asked, scripted.requests)) == Counter(EXTENSIONS)
        assert site.availability == [True]


async def test_a_limit_of_requests_starves_nobody(scripted, clock):
    """Every seventieth request is refused; without turns the last extensions would never be read."""

    def answer(request):
        is_over = len(scripted.requests) % 70 == 0
        return say({}, 429, **{"Retry-After": "0"}) if is_over else say(talking(asked(request), asked(request)[-4:]))

    scripted.answer = answer
    async with Site(scripted, clock, lists="each") as site:
        await until(lambda: site.calls(LAST) and site.calls(FIRST))
        assert set(EXTENSIONS) <= set(map(asked, scripted.requests))


async def test_one_extension_whose_list_breaks_holds_up_no_other_and_keeps_its_call_for_a_while(scripted, clock):
    is_broken = False

    def answer(request):
        return say({}, 500) if is_broken and asked(request) == FIRST else say(talking(asked(request)))

    scripted.answer = answer
    async with Site(scripted, clock, lists="each") as site:
        clock.stop()
        is_broken = True
        read = len(scripted.requests)
        await until(lambda: sum(asked(one) == LAST for one in scripted.requests[read:]) >= 2)
        assert [call.state for call in site.calls(FIRST)] == ["talking"]
        for _ in range(2):  # no more looks than needed: in trouble each waits twice as long
            clock.skip(3)
            read = len(scripted.requests)
            await until(lambda: any(asked(one) == LAST for one in scripted.requests[read:]))  # noqa: B023
        await until(lambda: site.calls(FIRST) == ())
        assert site.calls(LAST)
        assert site.pbx.is_available


async def test_a_transfer_is_not_done_because_its_list_cannot_be_read_any_more(scripted, clock):
    is_hidden = False

    def answer(request):
        is_mine = asked(request) == FIRST
        if is_mine and is_hidden and request.method == "GET":
            return say({"error": {"code": "access_denied"}}, 403)
        return say(talking(FIRST) if is_mine else NO_CALLS)

    scripted.answer = answer
    async with Site(scripted, clock, lists="each") as site:
        assert await site.send_away(FIRST) == Outcome("accepted")
        is_hidden = True
        await until(lambda: site.calls(FIRST) == ())
        assert site.progress == []


async def test_the_end_of_a_transfer_is_seen_while_all_others_are_still_read(scripted, clock):
    """A round of two hundred slow answers takes longer than a transfer may."""
    gate = asyncio.Event()
    is_moved = False

    async def answer(request):
        nonlocal is_moved
        if request.method == "PUT":
            is_moved = True
            return say([])
        if asked(request) == LAST:
            return say(NO_CALLS if is_moved else talking(LAST))
        if is_moved and asked(request) == EXTENSIONS[100]:
            await gate.wait()
        return say(NO_CALLS)

    scripted.answer = answer
    async with Site(scripted, clock, lists="each") as site:
        await site.send_away(LAST)
        await until(lambda: sum(asked(one) == EXTENSIONS[100] for one in scripted.requests) >= 2)
        assert site.progress == [("done", None)]
        gate.set()


async def test_a_round_that_takes_long_is_no_sign_that_voipnow_is_away(scripted, clock):
    def answer(request):
        clock.skip(0.1)  # twenty seconds a round
        return say(talking(asked(request)))

    scripted.answer = answer
    async with Site(scripted, clock, lists="each") as site:
        await until(lambda: len(scripted.requests) > 450)
        scripted.answer = lambda request: say({}, 429)
        await until(lambda: asked(scripted.requests[-1]) == asked(scripted.requests[-2]))
        assert site.availability == [True]


async def test_nobody_is_asked_while_voipnow_does_not_want_to_be_asked(scripted, clock):
    scripted.answer = lambda request: say(talking(FIRST))
    async with Site(scripted, clock, poll_ms=60_000) as site:
        (call,) = site.calls(FIRST)
        scripted.answer = lambda request: say({}, 429, **{"Retry-After": "30"})
        assert await site.send_away(FIRST) == Outcome("failed", "rate")
        read = len(scripted.requests)
        assert await site.pbx.carry_out("blind", call, Target("internal", "0456")) == Outcome("failed", "rate")
        assert len(scripted.requests) == read
        clock.skip(31)
        scripted.answer = lambda request: say(talking(FIRST))
        assert await site.send_away(FIRST) == Outcome("accepted")
