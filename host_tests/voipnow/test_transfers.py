"""Transfers at VoipNow: bound to one call, asked for once, and unknown when nobody knows."""

import asyncio

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER, Desk, to
from pbx_lab.legs import are_alone, is_gone, is_talking
from phoneterm_bridge.pbx.port import Outcome
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNKNOWN = Outcome("unknown")
OUTSIDE = "0123456"


def failed(reason):
    return Outcome("failed", reason)


@pytest.mark.parametrize("op", ["attended", "complete", "cancel", "swap", "park"])
async def test_what_voipnow_cannot_do_is_refused_at_once_without_asking(desk, op):
    call = await desk.talk()
    target = to(COLLEAGUE) if op in ("attended", "park") else None
    desk.lab.faults.add("list", "slow", ALWAYS)
    asked = [one for one in desk.lab.requests if "@self" not in one]
    assert await desk.pbx.carry_out(op, call, target) == failed("unsupported")
    assert [one for one in desk.lab.requests if "@self" not in one] == asked
    assert are_alone(await desk.lab.legs(), CALLER, USER)


async def test_an_action_names_its_call_and_the_extension_that_transfers(desk):
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    (put,) = [one for one in desk.lab.requests if one.startswith("PUT")]
    path, _, call_id = put.removeprefix("PUT ").rpartition("/")
    assert path == "/uapi/phoneCalls/@me/0003*101"
    assert len(call_id) == 20


async def test_of_two_calls_only_the_one_that_is_meant_is_moved(desk, calls_are):
    first = await desk.talk()
    await desk.lab.place_call(USER, OUTSIDE)
    calls = await calls_are("talking", "talking")
    second = next(call for call in calls if call.ref != first.ref)
    assert await desk.pbx.carry_out("blind", second, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_talking(legs, COLLEAGUE, "trunk"))
    assert is_talking(await desk.lab.legs(), CALLER, USER)


async def test_a_number_that_voipnow_refuses_leaves_the_call_alone(desk):
    call = await desk.talk()
    before = await desk.lab.legs()
    assert await desk.pbx.is_known_number("internal", NO_SUCH_NUMBER) is True  # VoipNow does not tell beforehand
    assert await desk.pbx.carry_out("blind", call, to(NO_SUCH_NUMBER)) == failed("unknown-number")
    assert await desk.lab.legs() == before


@pytest.mark.parametrize(
    "number", ["", "102\r\nX: y", "102\n", "102\0", "/.*/", "１０２", "1" * 300, "**1", "*97", "1*"]
)
async def test_what_is_no_number_is_not_sent(desk, number):
    call = await desk.talk()
    assert await desk.pbx.is_known_number("internal", number) is False
    assert await desk.pbx.carry_out("blind", call, to(number)) == failed("bad-number")
    assert desk.lab.acted == []


@pytest.mark.parametrize("number", ["101", "0003*101"])
async def test_the_own_extension_is_no_target_in_either_form(desk, number):
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(number)) == failed("self")
    assert desk.lab.acted == []


@pytest.mark.parametrize("way", ["cut-after", "half", "no-json", "nothing"])
async def test_a_transfer_that_was_carried_out_is_never_asked_for_again(desk, way):
    call = await desk.talk()
    desk.lab.faults.add("action", way)
    outcome = await desk.pbx.carry_out("blind", call, to(COLLEAGUE))
    assert outcome == (ACCEPTED if way == "nothing" else UNKNOWN)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())  # the list says what came of it
    assert desk.lab.acted == ["Transfer"]


@pytest.mark.parametrize("way", ["cut-before", "500", "502", "503"])
async def test_a_transfer_without_an_answer_is_unknown_and_the_call_can_be_transferred_again(desk, way):
    call = await desk.talk()
    desk.lab.faults.add("action", way)
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == UNKNOWN
    assert desk.lab.acted == ["Transfer"]
    assert are_alone(await desk.lab.legs(), CALLER, USER)
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("401", "pbx-unreachable"), ("403", "not-permitted-by-pbx"), ("404", "unknown-number"), ("429", "rate"),
        ("redirect", "pbx-unreachable"), ("lose-call", "no-call"),
    ],
)  # fmt: skip
async def test_a_transfer_that_was_refused_is_not_tried_again(desk, way, reason):
    call = await desk.talk()
    desk.lab.faults.add("action", way)
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == failed(reason)
    assert desk.lab.acted == ["Transfer"]
    assert not any("elsewhere" in one for one in desk.lab.requests)
    assert is_gone(await desk.lab.legs(), COLLEAGUE)
    assert desk.progress == []


async def test_a_slow_answer_is_unknown_and_nothing_is_asked_again(lab, clock):
    async with Desk(lab, clock=clock, changes=("voipnow.timeout_ms=500",)) as desk:
        call = await desk.talk()
        lab.faults.slow_s = 600
        lab.faults.add("action", "slow")
        assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == UNKNOWN
        await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
        assert lab.acted == ["Transfer"]


async def test_a_transfer_that_takes_effect_later_is_done_when_the_list_shows_it(desk):
    call = await desk.talk()
    desk.lab.shapes.effect_after_s = 1.5
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    assert desk.progress == []
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == failed("busy-transferring")
    await desk.result("done")
    assert are_alone(await desk.lab.legs(), CALLER, COLLEAGUE)
    assert desk.lab.acted == ["Transfer"]


async def test_a_transfer_that_no_list_ever_shows_is_unknown(desk, clock):
    call = await desk.talk()
    desk.lab.shapes.effect_after_s = 3600
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await asyncio.sleep(0)  # lets the backend begin to follow it
    clock.skip(11)
    await desk.result("unknown")
    assert are_alone(await desk.lab.legs(), CALLER, USER)


async def test_what_the_last_list_showed_is_not_acted_on_without_looking_again(lab, clock):
    """The user's call has ended and another one has come since the last list: it is not the one that was meant."""
    await lab.place_call(CALLER, USER)
    async with Desk(lab, clock=clock, changes=("voipnow.poll_ms=60000",)) as desk:
        (call,) = desk.pbx.calls(USER)
        await lab.hang_up(CALLER)
        await lab.place_call(COLLEAGUE, USER)
        assert desk.pbx.calls(USER) == (call,)
        assert await desk.pbx.carry_out("blind", call, to(OUTSIDE)) == failed("no-call")
        assert lab.acted == []
        assert are_alone(await lab.legs(), COLLEAGUE, USER)


async def test_without_a_list_there_is_no_action(desk):
    call = await desk.talk()
    desk.lab.faults.add("list", "500", ALWAYS)
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == failed("pbx-unreachable")
    assert desk.lab.acted == []
