"""What is told of an operation is what the PBX shows: without an event that shows its effect it is unknown."""

import asyncio

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, Desk, to
from pbx.office import Office
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, is_on_hold
from phoneterm_bridge.pbx.port import Outcome
from phoneterm_bridge.store.journal_reading import find_nearest
from phoneterm_bridge.wording.why import explain

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNKNOWN = Outcome("unknown")


@pytest.mark.parametrize("operation", ["swap", "cancel"])
async def test_what_the_pbx_takes_without_doing_it_is_unknown_and_the_consultation_goes_on(lab, operation):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.consult()
        proxy.swallow("PlayDTMF")
        assert await desk.pbx.carry_out(operation, call, None) == UNKNOWN
        await lab.wait_until(lambda legs: is_on_hold(legs, CALLER))
        assert desk.states()[-1] == ("consulting", None)
        assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
        await desk.result("returned", "cancelled")


@pytest.mark.parametrize(("is_swapped", "action"), [(False, "Hangup"), (True, "PlayDTMF")])
async def test_a_completion_that_the_pbx_takes_without_doing_it_is_unknown(lab, is_swapped, action):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.consult()
        if is_swapped:
            assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
            await lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE))
        proxy.swallow(action)
        assert await desk.pbx.carry_out("complete", call, None) == UNKNOWN
        assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
        await desk.result("done")


async def test_a_transfer_of_which_nothing_is_seen_is_unknown_and_the_next_one_is_taken(lab):
    async with AmiProxy(lab.ami) as proxy, Desk(lab, proxy.ami) as desk:
        call = await desk.talk()
        proxy.swallow("PlayDTMF")
        assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == UNKNOWN
        assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
        await desk.result("consulting")


async def test_a_swap_is_accepted_only_when_the_other_one_waits(desk):
    call = await desk.consult()
    for waiting in (COLLEAGUE, CALLER):
        assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
        await desk.lab.wait_until(lambda legs, waiting=waiting: is_on_hold(legs, waiting))


async def test_a_cancel_that_is_unknown_is_told_so_and_so_is_why(lab, tmp_path):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        await office.talk()
        consultation = await office.ask("attended", COLLEAGUE)
        await office.comes_to(consultation, "consulting")
        proxy.swallow("PlayDTMF")
        await office.comes_to(await office.ask("cancel"), "unknown")
        await office.journal_says("result", "unknown", None)
        assert "The outcome is not known" in explain(find_nearest(office.engine, USER, None))
        await office.comes_to(await office.ask("cancel"), "done")
        await office.comes_to(consultation, "returned", "cancelled")


async def test_a_cancel_against_a_hang_up_is_told_as_the_calls_are(office):
    await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    cancel, _ = await asyncio.gather(office.ask("cancel"), office.lab.hang_up(USER))
    await office.call_is("idle")
    legs = await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE) or not legs)
    if legs:
        await until(lambda: office.terminal.results(cancel)[-1][0] != "accepted")
        assert office.terminal.results(cancel)[-1][0] in ("failed", "rejected")
        await office.journal_says("result", *office.terminal.results(cancel)[-1])
        assert "the caller was back" not in explain(find_nearest(office.engine, USER, None))
