"""Differently configured PBXs: missing features are named, slow ways still work, nobody is left on hold."""

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, Desk, to
from pbx_lab.legs import are_alone, is_on_hold
from phoneterm_bridge.pbx.port import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_t_in_the_dial_a_transfer_is_not_permitted_and_the_call_goes_on(open_desk):
    desk = await open_desk(allows_transfer=False)
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == Outcome("failed", "not-permitted-by-pbx")
    assert desk.states() == []
    assert are_alone(await desk.lab.legs(), CALLER, USER)
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_an_empty_featuremap_is_named_at_once_and_the_call_goes_on(open_desk):
    desk = await open_desk(codes="none")
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == Outcome("failed", "pbx-misconfigured")
    assert are_alone(await desk.lab.legs(), CALLER, USER)


async def test_the_stock_codes_do_as_well(open_desk):
    desk = await open_desk(codes="stock", min_dtmf_ms=80)
    call = await desk.consult()
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE))
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.wait_until(lambda: desk.states().count(("consulting", None)) == 2)
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


@pytest.mark.parametrize(("behaviour", "reason"), [("busy", "busy"), ("reject", "refused-by-target")])
async def test_a_dialplan_that_plays_the_busy_tone_does_not_keep_the_caller_on_hold(open_desk, behaviour, reason):
    desk = await open_desk(plays_busy=True)
    await desk.lab.set_behaviour(COLLEAGUE, behaviour)
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("returned", reason, within_s=2)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER), within_s=2)


@pytest.mark.parametrize("limit", ["no_answer_s", "ring_s"])
async def test_a_colleague_who_does_not_answer_brings_the_caller_back(open_desk, limit):
    desk = await open_desk(**{limit: 1})
    await desk.ring()
    await desk.result("returned", "no-answer")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_hanging_up_while_it_rings_in_vain_rings_the_user_again(open_desk):
    desk = await open_desk(ring_s=1, callback_delay_s=1)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.result("returned", "no-answer")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_user_who_hung_up_while_it_rings_is_rung_when_the_time_is_up_and_not_after_a_second_try(open_desk):
    desk = await open_desk(no_answer_s=2, callback_delay_s=60)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.result("returned", "no-answer")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


@pytest.mark.parametrize("hangs_up", [False, True], ids=["user waits", "user hangs up"])
async def test_a_bridge_that_starts_while_it_rings_knows_when_the_time_is_up(open_desk, hangs_up):
    desk = await open_desk(no_answer_s=4, callback_delay_s=60)
    await desk.ring()
    await desk.pbx.stop()
    async with Desk(desk.lab) as later:
        await later.call_in_state("consulting")
        if hangs_up:
            await desk.lab.hang_up(USER)
        await later.result("returned", "no-answer")
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


@pytest.mark.parametrize("drops", [False, True], ids=["user rung back", "caller dropped"])
async def test_after_a_user_who_hung_up_nobody_listens_to_a_busy_tone_if_the_user_can_be_rung(open_desk, drops):
    desk = await open_desk(plays_busy=True, drops_unanswered=drops)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.reject(COLLEAGUE)
    if drops:
        await desk.lab.wait_until(lambda legs: [leg.endpoint for leg in legs] == [CALLER])
    else:
        await desk.result("returned", "busy", within_s=5)
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_caller_who_cannot_be_given_back_because_the_users_phone_is_off_is_not_left_alone(open_desk):
    desk = await open_desk(callback_delay_s=1)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.lab.set_behaviour(USER, "unavailable")
    await desk.reject(COLLEAGUE)
    await desk.result("failed", "busy")
    await desk.lab.wait_until(lambda legs: not legs)


async def test_hanging_up_while_it_rings_in_vain_drops_the_caller_where_the_pbx_is_told_so(open_desk):
    desk = await open_desk(ring_s=1, drops_unanswered=True)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.result("failed", "no-answer")
    await desk.lab.wait_until(lambda legs: not legs)
