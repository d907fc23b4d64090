"""Attended transfer: the caller waits while the user talks to the colleague, and every way this can end."""

import asyncio

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER, Desk, to
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, has_leg, is_on_hold
from phoneterm_bridge.pbx.port import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_user_hangs_up_and_caller_and_colleague_talk(desk):
    call = await desk.consult()
    legs = await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER))
    assert has_leg(legs, USER, "up")
    assert has_leg(legs, COLLEAGUE, "up")
    assert (await desk.call_in_state("consulting")).ref == call.ref
    await desk.lab.hang_up(USER)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await desk.result("done")
    assert desk.states() == [("ringing", None), ("consulting", None), ("done", None)]
    assert {ref for ref, _, _ in desk.progress} == {call.ref}
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())


async def test_phones_end_in_one_bridge_without_anything_between(desk):
    await desk.consult()
    await desk.lab.hang_up(USER)
    legs = await desk.lab.wait_until(lambda legs: len(legs) == 2 and legs[0].bridge == legs[1].bridge != "")
    assert are_alone(legs, CALLER, COLLEAGUE)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("busy", "busy"), ("reject", "refused-by-target"), ("unavailable", "unavailable")],
)
async def test_a_colleague_who_cannot_be_reached_brings_the_caller_back_with_the_reason(desk, behaviour, reason):
    await desk.lab.set_behaviour(COLLEAGUE, behaviour)
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("returned", reason, within_s=2)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER), within_s=2)
    assert (await desk.call_in_state("talking")).ref == call.ref


async def test_a_colleague_who_hangs_up_brings_the_caller_back(desk):
    await desk.consult()
    await desk.lab.hang_up(COLLEAGUE)
    await desk.result("returned")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_caller_who_hangs_up_leaves_user_and_colleague_talking(desk):
    await desk.consult()
    await desk.lab.hang_up(CALLER)
    await desk.result("failed", "caller-gone")
    await desk.lab.wait_until(lambda legs: are_alone(legs, USER, COLLEAGUE))
    await desk.call_in_state("talking")


async def test_a_caller_who_hangs_up_while_it_rings_ends_everything(desk):
    await desk.ring()
    await desk.lab.hang_up(CALLER)
    await desk.result("failed", "caller-gone")
    await desk.lab.wait_until(lambda legs: not legs)


async def test_hanging_up_while_it_rings_is_done_only_when_the_colleague_answers(desk):
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    assert desk.states() == [("ringing", None)]
    await desk.lab.answer(COLLEAGUE)
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_number_that_the_dialplan_does_not_have_leaves_the_call_alone(desk):
    call = await desk.talk()
    before = await desk.lab.legs()
    assert await desk.pbx.carry_out("attended", call, to(NO_SUCH_NUMBER)) == Outcome("failed", "unknown-number")
    assert await desk.lab.legs() == before
    assert desk.states() == []


async def test_a_second_transfer_during_a_consultation_is_refused(desk):
    call = await desk.consult()
    assert await desk.pbx.carry_out("attended", call, to("0123")) == Outcome("failed", "busy-transferring")
    assert await desk.pbx.carry_out("blind", call, to("0123")) == Outcome("failed", "busy-transferring")


async def test_the_colleague_may_be_a_group_and_the_first_answer_counts(desk):
    await desk.lab.place_call(USER, "0123")
    call = await desk.call_in_state("talking")
    await desk.lab.set_behaviour(CALLER, "ring")
    assert await desk.pbx.carry_out("attended", call, to("150")) == ACCEPTED
    await desk.result("consulting")
    await desk.lab.hang_up(USER)
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, "trunk", COLLEAGUE))


async def test_a_machine_that_answers_is_an_answer(desk):
    await desk.consult("190")
    await desk.lab.hang_up(USER)
    await desk.result("done")


async def test_the_number_does_not_stay_on_the_channel_for_the_next_transfer(desk):
    call = await desk.consult()
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    channel = next(leg.channel for leg in await desk.lab.legs() if leg.endpoint == USER)
    assert await desk.lab.variable(channel, "TRANSFER_EXTEN") == ""
    assert await desk.lab.variable(channel, "TRANSFER_CONTEXT") == ""


async def test_two_transfers_to_one_colleague_do_not_mix(desk):
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    first = await desk.talk()
    await desk.lab.place_call("103", "0123")
    await desk.wait_until(lambda: len(desk.pbx.calls(CALLER)) == 2)
    second = desk.pbx.calls(CALLER)[1]
    assert await desk.pbx.carry_out("attended", first, to(COLLEAGUE)) == ACCEPTED
    assert await desk.pbx.carry_out("attended", second, to(COLLEAGUE)) == ACCEPTED
    await desk.wait_until(lambda: len(desk.progress) == 2)
    assert await desk.pbx.carry_out("cancel", second, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    assert [ref for ref, state, _ in desk.progress if state == "returned"] == [second.ref]


async def consult_again(desk):
    """Cancel a consultation and ask for the next one at once; return the task, which waits for the error tone's end."""
    call = await desk.consult()
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    again = asyncio.create_task(desk.pbx.carry_out("attended", call, to(COLLEAGUE)))
    await asyncio.sleep(0)  # lets the task begin
    return again


@pytest.mark.parametrize(
    ("what", "reason"), [("user", "no-call"), ("caller", "caller-gone"), ("connection", "pbx-unreachable")]
)
async def test_what_ends_before_the_error_tone_does_is_told_and_nothing_is_asked_of_the_pbx(lab, what, reason):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami, fail_sound_s=3) as desk:
        again = await consult_again(desk)
        asked = len(proxy.actions)
        if what == "connection":
            proxy.refuse()
        else:
            await lab.hang_up(USER if what == "user" else CALLER)
        assert await again == Outcome("failed", reason)
        assert not {"PlayDTMF", "Atxfer"} & set(proxy.actions[asked:])


async def test_a_connection_that_is_back_before_the_error_tone_ends_keeps_no_transfer_from_being_followed(lab):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami, fail_sound_s=8) as desk:
        again = await consult_again(desk)
        proxy.cut()
        assert await again == ACCEPTED
        await desk.wait_until(lambda: desk.states().count(("consulting", None)) == 2)
        assert desk.availability == [True, False, True]
