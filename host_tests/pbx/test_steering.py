"""Complete, cancel and swap: the keys of a consultation."""

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, Desk, to
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, is_on_hold
from phoneterm_bridge.pbx.port import Outcome

COMPLETE_KEY = "C"  # atxfercomplete of the lab's features.conf

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def swap(desk, call):
    """Switch the user back to the caller, while the colleague waits."""
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE) and not is_on_hold(legs, CALLER))


async def test_complete_connects_caller_and_colleague(desk):
    call = await desk.consult()
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_complete_while_it_rings_is_done_when_the_colleague_answers(desk):
    call = await desk.ring()
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    await desk.lab.answer(COLLEAGUE)
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_cancel_while_it_rings_brings_the_caller_back(desk):
    call = await desk.ring()
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_cancel_during_the_consultation_brings_the_caller_back(desk):
    call = await desk.consult()
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_swap_goes_to_the_caller_and_back(desk):
    call = await desk.consult()
    await swap(desk, call)
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and not is_on_hold(legs, COLLEAGUE))
    assert desk.states() == [("ringing", None), ("consulting", None)]


async def test_complete_and_cancel_work_while_swapped(desk):
    call = await desk.consult()
    await swap(desk, call)
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.wait_until(lambda: desk.states().count(("consulting", None)) == 2)
    await swap(desk, call)
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


@pytest.mark.parametrize(("is_swapped", "action"), [(False, "Hangup"), (True, "PlayDTMF")])
async def test_a_user_who_is_with_the_caller_is_not_hung_up_to_complete(lab, is_swapped, action):
    """Asterisk would sometimes end the call for all three."""
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.consult()
        if is_swapped:
            await swap(desk, call)
        asked = len(proxy.actions)
        assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
        assert proxy.actions[asked:] == [action]
        await desk.result("done")
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_transfer_that_the_user_completes_by_hand_while_swapped_is_done(desk):
    """Here Asterisk moves the colleague to the caller before it removes the user."""
    call = await desk.consult()
    await swap(desk, call)
    await desk.press(USER, COMPLETE_KEY)
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.states()[-1] == ("done", None)


async def test_nothing_can_be_steered_without_a_transfer(desk):
    call = await desk.talk()
    for operation in ("complete", "cancel", "swap"):
        assert await desk.pbx.carry_out(operation, call, None) == Outcome("failed", "no-call")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_nobody_can_be_swapped_to_before_the_answer(desk):
    call = await desk.ring()
    assert await desk.pbx.carry_out("swap", call, None) == Outcome("failed", "not-answered")
