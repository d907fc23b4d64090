"""Calls of other shapes: picked up, behind a Local channel; targets that end by themselves."""

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, Desk, to
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, has_leg, is_on_hold

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICK_UP, BEHIND_LOCAL = "*88", "193"
RINGS_ENDS, PLAYS_ENDS, ANSWERS_ENDS, ANSWERS_BUSY = "194", "195", "196", "198"


async def pick_up(desk):
    """Let the user pick up a call that rings at the colleague's phone; return the user's call."""
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    await desk.lab.place_call(CALLER, COLLEAGUE)
    await desk.lab.place_call(USER, PICK_UP)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    await desk.lab.set_behaviour(COLLEAGUE, "answer")
    return await desk.call_in_state("talking")


async def test_a_call_that_was_picked_up_is_transferred_like_any_other(desk):
    call = await pick_up(desk)
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("consulting")
    assert ("ringing", None) in desk.states()
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE))
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_busy_colleague_gives_a_call_that_was_picked_up_back_at_once(desk):
    call = await pick_up(desk)
    await desk.lab.set_behaviour(COLLEAGUE, "busy")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("returned", "busy", within_s=2)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_call_that_was_picked_up_is_cancelled_while_it_rings(desk):
    call = await pick_up(desk)
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("ringing")
    await desk.lab.wait_until(lambda legs: has_leg(legs, COLLEAGUE, "ringing"))
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


@pytest.fixture(params=[False, True], ids=["with the colleague", "with the caller"])
def is_swapped(request):
    """Whether the user has gone back to the caller meanwhile."""
    return request.param


async def consult_behind_local(desk, is_swapped):
    """Let the user, who called somebody behind a Local channel, consult the colleague; return the user's call."""
    await desk.lab.place_call(USER, BEHIND_LOCAL)
    call = await desk.call_in_state("talking")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("consulting")
    if is_swapped:
        assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    return call


@pytest.mark.parametrize(("op", "state"), [("cancel", "returned"), ("complete", "done")])
@pytest.mark.parametrize("is_restarted", [False, True], ids=["connection lost", "bridge restarted"])
async def test_a_consultation_is_found_again_although_the_other_one_is_behind_a_local_channel(
    lab, is_swapped, is_restarted, op, state
):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as first:
        call = await consult_behind_local(first, is_swapped)
        desk = first
        if is_restarted:
            await first.pbx.stop()
            desk = await Desk(lab).__aenter__()
        else:
            proxy.cut()
            await first.wait_until(lambda: first.availability[-2:] == [False, True])
        assert (await desk.call_in_state("consulting")).ref == call.ref
        assert await desk.pbx.carry_out(op, call, None) == ACCEPTED
        await desk.result(state, "cancelled" if op == "cancel" else None)
        partner = USER if op == "cancel" else COLLEAGUE
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, partner))
        if is_restarted:
            await desk.__aexit__()


@pytest.mark.parametrize(
    ("number", "reason"),
    [(RINGS_ENDS, "no-answer"), (PLAYS_ENDS, "no-answer"), (ANSWERS_ENDS, None), (ANSWERS_BUSY, None)],
)
async def test_a_target_that_ends_by_itself_was_not_cancelled_by_anybody(desk, number, reason):
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(number)) == ACCEPTED
    await desk.wait_until(lambda: desk.states() and desk.states()[-1][0] == "returned")
    assert desk.states()[-1] == ("returned", reason)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


@pytest.mark.parametrize("is_answered", [False, True], ids=["ringing", "talking"])
async def test_a_user_who_cancels_by_hand_is_told_that_it_was_cancelled(desk, is_answered):
    await (desk.consult() if is_answered else desk.ring())
    legs = await desk.lab.legs()
    (channel,) = (leg.channel for leg in legs if leg.endpoint == USER)
    headers = [("Channel", channel), ("Digit", "A"), ("Receive", "true"), ("Duration", "1")]
    assert (await desk.ask("PlayDTMF", headers)).get("Response") == "Success"
    await desk.result("returned", "cancelled")
