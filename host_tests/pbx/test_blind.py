"""Blind transfer: the caller goes to the number, and the user is out."""

import dataclasses

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, CONTEXT, NO_SUCH_NUMBER, USER, to
from pbx_lab.legs import are_alone, is_on_hold
from pbx_simulator.ami_actions import AmiActions
from pbx_simulator.ami_server import AmiServer
from pbx_simulator.simulator_lab import SimulatorLab
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.port import Outcome, PbxMisconfigured, Target

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_caller_talks_to_the_number_and_the_user_is_out(desk):
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await desk.result("done")
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())


async def test_the_number_may_lie_outside(desk):
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to("0123456")) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, "trunk"))


async def test_a_user_who_called_somebody_transfers_whom_she_called(desk):
    await desk.lab.place_call(USER, CALLER)
    call = await desk.call_in_state("talking")
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_number_that_the_dialplan_does_not_have_leaves_the_call_alone(desk):
    call = await desk.talk()
    before = await desk.lab.legs()
    assert await desk.pbx.is_known_number(CONTEXT, NO_SUCH_NUMBER) is False
    assert await desk.pbx.carry_out("blind", call, to(NO_SUCH_NUMBER)) == Outcome("failed", "unknown-number")
    assert await desk.lab.legs() == before


async def test_a_number_is_known_in_its_own_context_only(desk):
    assert await desk.pbx.is_known_number(CONTEXT, COLLEAGUE) is True
    with pytest.raises(PbxMisconfigured, match="no context elsewhere"):  # which is worth more than "unknown number"
        await desk.pbx.is_known_number("elsewhere", COLLEAGUE)


async def test_a_busy_number_does_not_bring_the_user_back(desk):
    await desk.lab.set_behaviour(COLLEAGUE, "busy")
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: not legs)
    await desk.result("done")
    assert desk.states() == [("done", None)]


async def test_a_call_that_still_rings_cannot_be_transferred(desk):
    await desk.lab.set_behaviour(USER, "ring")
    await desk.lab.place_call(CALLER, USER)
    call = await desk.call_in_state("ringing")
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome("failed", "not-answered")
    await desk.lab.answer(USER)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_a_call_with_a_machine_cannot_be_transferred(desk):
    await desk.lab.place_call(USER, "190")
    call = await desk.call_in_state("elsewhere")
    before = await desk.lab.wait_until(lambda legs: is_on_hold(legs, USER))  # the machine plays music
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome("failed", "no-call")
    assert await desk.lab.legs() == before


async def test_it_is_said_who_hung_up_before_the_transfer(desk):
    call = await desk.talk()
    await desk.lab.hang_up(CALLER)
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome("failed", "caller-gone")
    call = await desk.talk()
    await desk.lab.hang_up(USER)
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome("failed", "no-call")


@pytest.mark.parametrize("number", ["", "102\r\nAction: Hangup", "102\n", "102\0", "/.*/", "１０２", "1" * 300, "**1"])
async def test_a_number_that_is_none_never_reaches_the_pbx(desk, number):
    call = await desk.talk()
    before = await desk.lab.legs()
    assert await desk.pbx.is_known_number(CONTEXT, number) is False
    assert await desk.pbx.carry_out("blind", call, to(number)) == Outcome("failed", "bad-number")
    assert await desk.pbx.carry_out("attended", call, to(number)) == Outcome("failed", "bad-number")
    assert await desk.lab.legs() == before


async def test_a_context_with_a_line_end_is_our_own_mistake(desk):
    call = await desk.talk()
    with pytest.raises(ValueError, match="context"):
        await desk.pbx.carry_out("blind", call, Target("internal\r\nAction: Hangup", COLLEAGUE))


async def test_an_endpoint_is_compared_exactly(desk):
    await desk.talk()
    assert desk.pbx.calls("10") == ()
    assert desk.pbx.calls("1010") == ()
    assert desk.pbx.calls("101-00000000") == ()


async def test_a_number_that_the_dialplan_has_is_asked_for_once_a_second_and_one_that_it_has_not_every_time():
    lab, now_s, asked = SimulatorLab(), [1000.0], []
    actions = AmiActions(lab.exchange)

    def act(action):
        asked.extend([action.get("Variable")] if action.get("Variable").startswith("DIALPLAN_EXISTS") else [])
        return actions.act(action)

    lab.server = AmiServer([AmiSettings("127.0.0.1", 0, "phoneterm", lab.ami.secret)], act)
    settings = dataclasses.replace(lab.ami, port=await lab.server.start())
    pbx = AsteriskPbx(settings, clock=lambda: now_s[0])
    await pbx.start()
    for number, is_known in ((COLLEAGUE, True), (NO_SUCH_NUMBER, False)):
        for _ in range(3):
            assert await pbx.is_known_number(CONTEXT, number) is is_known
    assert len(asked) == 1 + 3
    now_s[0] += 1.0
    assert await pbx.is_known_number(CONTEXT, COLLEAGUE) is True
    assert len(asked) == 1 + 3 + 1
    await pbx.stop()
    assert await pbx.is_known_number(CONTEXT, COLLEAGUE) is None
    await lab.server.stop()
