"""Others act during a transfer, or before it: a call of three, a caller taken elsewhere or replaced, a call sent on."""

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, Desk, to
from pbx_lab.legs import are_alone, has_leg, is_talking
from phoneterm_bridge.pbx.port import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFERENCE, MACHINE, PICK_UP = "180", "190", "*88"
THREE_WAY = "*3"  # atxferthreeway of the lab's features.conf


def are_three(legs):
    """Say whether everybody hears everybody."""
    return len(legs) == 3 and all(leg.state == "up" and "," in leg.connected_to for leg in legs)


async def test_a_user_who_makes_it_a_call_of_three_is_with_the_caller_and_has_not_left(desk):
    call = await desk.consult()
    for key in THREE_WAY:
        await desk.press(USER, key)
    await desk.result("returned")
    await desk.lab.wait_until(are_three)
    assert [one.state for one in desk.pbx.calls(USER)] == ["talking"]
    assert await desk.pbx.carry_out("cancel", call, None) == Outcome("failed", "no-call")
    assert await desk.pbx.carry_out("blind", call, to(MACHINE)) == Outcome("failed", "ambiguous")
    assert are_three(await desk.lab.legs())
    await desk.lab.hang_up(USER)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert ("done", None) not in desk.states()


async def test_a_caller_who_is_taken_elsewhere_during_the_consultation_is_gone(desk):
    call = await desk.consult()
    (channel,) = (leg.channel for leg in await desk.lab.legs() if leg.endpoint == CALLER)
    headers = [("Channel", channel), ("Context", "internal"), ("Exten", MACHINE), ("Priority", "1")]
    assert (await desk.ask("Redirect", headers)).get("Response") == "Success"
    await desk.result("failed", "caller-gone")
    await desk.lab.wait_until(lambda legs: is_talking(legs, USER, COLLEAGUE))
    await desk.call_in_state("talking")
    assert await desk.pbx.carry_out("cancel", call, None) == Outcome("failed", "no-call")
    assert desk.lab.tones() == []


async def test_a_caller_who_is_taken_elsewhere_after_the_user_has_hung_up_while_it_rings_is_gone(desk):
    await desk.ring()
    await desk.lab.hang_up(USER)
    await until(lambda: desk.pbx.calls(USER) == ())
    (channel,) = (leg.channel for leg in await desk.lab.legs() if leg.endpoint == CALLER)
    headers = [("Channel", channel), ("Context", "internal"), ("Exten", MACHINE), ("Priority", "1")]
    assert (await desk.ask("Redirect", headers)).get("Response") == "Success"
    await desk.result("failed", "caller-gone")


async def lines_become(desk, lines):
    """Wait until the user's call is with these lines."""
    await desk.wait_until(lambda: [one.lines for one in desk.pbx.calls(USER)] == [frozenset(lines)])


@pytest.mark.parametrize("op", ["blind", "attended"])
async def test_whom_the_user_dialled_is_a_target_again_after_sending_the_user_on(desk, op):
    await desk.lab.place_call(USER, COLLEAGUE)
    await desk.call_in_state("talking")
    call = await desk.call_in_state("talking", COLLEAGUE)
    await lines_become(desk, {COLLEAGUE})
    assert await desk.pbx.carry_out(op, call, to(CALLER)) == ACCEPTED
    if op == "attended":
        await desk.result("consulting")
        assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, USER, CALLER))
    await lines_become(desk, {CALLER})


async def test_who_did_not_answer_because_somebody_picked_the_call_up_is_a_target(desk):
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    await desk.lab.place_call(USER, COLLEAGUE)
    await desk.lab.place_call(CALLER, PICK_UP)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    await lines_become(desk, {CALLER})


@pytest.mark.parametrize("how", ["answers", "is busy", "caller hangs up"])
async def test_a_bridge_that_starts_after_the_user_has_hung_up_while_it_rings_tells_how_it_ends(desk, how):
    await desk.ring()
    await desk.lab.hang_up(USER)
    await until(lambda: desk.pbx.calls(USER) == ())
    async with Desk(desk.lab) as later:
        assert later.pbx.calls(USER) == ()
        if how == "answers":
            await desk.lab.answer(COLLEAGUE)
            await later.result("done")
            await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
        elif how == "is busy":
            await desk.reject(COLLEAGUE)
            await later.result("returned", "busy")
            await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        else:
            await desk.lab.hang_up(CALLER)
            await later.result("failed", "caller-gone")


async def test_a_bridge_that_starts_after_the_user_has_hung_up_rings_the_user_in_time(open_desk):
    desk = await open_desk(no_answer_s=3, callback_delay_s=60)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.pbx.stop()
    async with Desk(desk.lab) as later:
        await later.result("returned", "no-answer")
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_bridge_that_starts_just_when_a_consultation_begins_finds_it_a_moment_later(desk):
    call = await desk.talk()
    async with Desk(desk.lab, look_once_more_s=3.0) as later:
        assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
        await desk.result("consulting")
        assert (await later.call_in_state("consulting")).ref == call.ref
        assert await later.pbx.carry_out("cancel", call, None) == ACCEPTED
        await later.result("returned", "cancelled")
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_conference_is_a_target_like_any_other(desk):
    call = await desk.consult(CONFERENCE)
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_talking(legs, USER, CALLER))
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert await desk.pbx.carry_out("attended", call, to(CONFERENCE)) == ACCEPTED
    await desk.wait_until(lambda: desk.states().count(("consulting", None)) == 2)
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: [(leg.endpoint, leg.is_on_hold) for leg in legs] == [(CALLER, False)])


@pytest.mark.parametrize("is_swapped", [False, True], ids=["with the conference", "with the caller"])
async def test_a_bridge_that_starts_while_a_conference_is_consulted_brings_the_caller_back(desk, is_swapped):
    call = await desk.consult(CONFERENCE)
    if is_swapped:
        assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    async with Desk(desk.lab) as later:
        assert (await later.call_in_state("consulting")).ref == call.ref
        assert await later.pbx.carry_out("cancel", call, None) == ACCEPTED
        await later.result("returned", "cancelled")
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_caller_who_is_sent_to_a_conference_is_told_to_be_there(desk):
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(CONFERENCE)) == ACCEPTED
    await desk.wait_until(lambda: [word for _, word, _ in desk.arrivals] == ["conference"])
    await desk.lab.wait_until(lambda legs: has_leg(legs, CALLER, "up"))
    await desk.lab.hang_up(CALLER)
    await desk.wait_until(lambda: [word for _, word, _ in desk.arrivals] == ["conference", "left-again"])


async def test_a_bridge_that_starts_while_the_caller_is_in_a_transfer_too_knows_whose_is_whose(desk):
    """Somebody outside waits for the caller, who consults the user, who consults the colleague."""
    await desk.lab.place_call("trunk", CALLER)
    outer = await desk.call_in_state("talking", CALLER)
    assert await desk.pbx.carry_out("attended", outer, to(USER)) == ACCEPTED
    await desk.result("consulting")
    inner = await desk.call_in_state("talking")
    assert await desk.pbx.carry_out("attended", inner, to(COLLEAGUE)) == ACCEPTED
    await desk.wait_until(lambda: desk.states().count(("consulting", None)) == 2)
    async with Desk(desk.lab) as later:
        assert (await later.call_in_state("consulting")).ref == inner.ref
        assert (await later.call_in_state("consulting", CALLER)).ref == outer.ref
        assert await later.pbx.carry_out("cancel", inner, None) == ACCEPTED
        await later.wait_until(lambda: (inner.ref, "returned", "cancelled") in later.progress)
        await desk.lab.wait_until(lambda legs: is_talking(legs, USER, CALLER))
        assert await later.pbx.carry_out("cancel", outer, None) == ACCEPTED
        await later.wait_until(lambda: (outer.ref, "returned", "cancelled") in later.progress)
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, "trunk"))
