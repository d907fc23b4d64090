"""The AMI connection of the backend: refused, lost at the worst moment, and restored."""

import asyncio
import dataclasses

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, CONTEXT, USER, Desk, to
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, is_on_hold
from pbx_simulator.ami_actions import AmiActions
from pbx_simulator.ami_server import AmiServer
from pbx_simulator.simulator_lab import SimulatorLab
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.port import Outcome, PbxRejectedLogin

pytestmark = pytest.mark.asyncio(loop_scope="session")


class BusyLab(SimulatorLab):
    """A simulated PBX on which somebody calls the user just while the calls are listed."""

    def __init__(self):
        super().__init__()
        self._is_due = False
        self._ami_actions = AmiActions(self.exchange)
        self.server = AmiServer([self.ami], self._act)

    async def start(self):
        self._port = await self.server.start()
        self._is_due = True

    def _act(self, action):
        if self._is_due and action.get("Action") == "CoreShowChannels":
            self._is_due = False
            asyncio.get_running_loop().call_soon(self.exchange.place_call, CALLER, USER)
        return self._ami_actions.act(action)


async def test_a_call_that_begins_while_the_calls_are_read_is_not_missed():
    lab = BusyLab()
    await lab.start()
    async with Desk(lab) as desk:
        assert (await desk.call_in_state("talking")).peer == CALLER
    await lab.stop()


async def test_a_wrong_secret_is_one_sentence_that_does_not_tell_it(lab):
    pbx = AsteriskPbx(dataclasses.replace(lab.ami, secret="quite-wrong"))
    with pytest.raises(PbxRejectedLogin) as raised:
        await pbx.start()
    sentence = str(raised.value)
    assert "phoneterm" in sentence
    assert "quite-wrong" not in sentence
    assert "\n" not in sentence


async def test_a_pbx_that_is_not_there_is_waited_for(unused_tcp_port, lab):
    desk = Desk(lab, dataclasses.replace(lab.ami, port=unused_tcp_port))
    async with desk:
        assert desk.pbx.is_available is False
        assert await desk.pbx.is_known_number(CONTEXT, COLLEAGUE) is None
        assert desk.availability == []


@pytest.mark.parametrize("is_passed_on", [True, False])
@pytest.mark.parametrize(("operation", "action"), [("blind", "BlindTransfer"), ("attended", "PlayDTMF")])
async def test_an_answer_that_is_lost_is_unknown_and_nothing_is_asked_again(lab, operation, action, is_passed_on):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.talk()
        proxy.cut_at(action, is_passed_on)
        assert await desk.pbx.carry_out(operation, call, to(COLLEAGUE)) == Outcome("unknown")
        await desk.wait_until(lambda: desk.availability == [True, False, True])
        assert proxy.actions.count(action) == 1
        if operation == "blind":
            partner = COLLEAGUE if is_passed_on else USER
            await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, partner))
            await desk.call_in_state("talking", CALLER)


async def test_a_reader_that_is_too_slow_does_not_know_what_came_of_it_and_finds_out_after_it_was_cut_off(lab):
    """Asterisk disconnects a client that does not read for `writetimeout`; its output until then is lost."""
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.talk()
        proxy.stop_reading()
        assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome("failed", "pbx-unreachable")
        assert proxy.actions.count("BlindTransfer") == 0
        proxy.cut()
        await desk.wait_until(lambda: desk.availability == [True, False, True])
        proxy.stop_reading_at("BlindTransfer")
        assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == Outcome("unknown")
        proxy.cut()
        await desk.wait_until(lambda: desk.availability == [True, False, True, False, True])
        await desk.call_in_state("talking", CALLER)
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
        assert desk.pbx.calls(USER) == ()
        assert proxy.actions.count("BlindTransfer") == 1


async def test_a_consultation_is_found_again_after_the_connection_was_lost(lab):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.consult()
        proxy.cut()
        await desk.wait_until(lambda: desk.availability == [True, False, True])
        assert (await desk.call_in_state("consulting")).ref == call.ref
        assert await desk.pbx.carry_out("attended", call, to("0123")) == Outcome("failed", "busy-transferring")
        assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
        await desk.result("returned", "cancelled")
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


@pytest.mark.parametrize("operation", ["swap", "cancel", "complete"])
async def test_a_consultation_is_found_again_while_the_user_is_back_with_the_caller(lab, operation):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.consult()
        assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
        await lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE))
        proxy.cut()
        await desk.wait_until(lambda: desk.availability == [True, False, True])
        assert (await desk.call_in_state("consulting")).ref == call.ref
        assert await desk.pbx.carry_out(operation, call, None) == ACCEPTED
        if operation == "swap":
            await lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and not is_on_hold(legs, COLLEAGUE))
            await lab.hang_up(USER)
        partner = USER if operation == "cancel" else COLLEAGUE
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, partner))
        await desk.result(*(("returned", "cancelled") if operation == "cancel" else ("done",)))


async def test_a_consultation_found_again_is_followed_to_its_end(lab):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        await desk.ring()
        proxy.cut()
        await desk.wait_until(lambda: desk.availability == [True, False, True])
        await desk.call_in_state("consulting")
        await lab.answer(COLLEAGUE)
        await desk.result("consulting")
        await lab.hang_up(USER)
        await desk.result("done")


async def test_a_second_backend_finds_the_calls_under_the_same_references(desk):
    call = await desk.talk()
    async with Desk(desk.lab) as other:
        found = await other.call_in_state("talking")
        assert found.ref == call.ref
        assert found.peer == CALLER


async def test_nobody_is_told_anything_after_stop(lab):
    desk = Desk(lab)
    async with desk:
        await desk.talk()
    progress = list(desk.progress)
    await lab.hang_up(USER)
    assert desk.progress == progress
    assert desk.availability == [True]
