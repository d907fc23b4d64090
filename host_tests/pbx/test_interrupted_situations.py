"""A transfer during which something is lost or begins again: an answer, the PBX, the bridge, the terminal."""

import pytest
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx.office import Office
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone
from phoneterm.core import messages
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.problem import SetupProblem

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("op", "action"), [("blind", "BlindTransfer"), ("attended", "PlayDTMF")])
async def test_a_command_whose_answer_was_lost_is_unknown_and_is_not_asked_again(lab, tmp_path, op, action):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        await office.talk()
        proxy.cut_at(action, is_passed_on=True)
        command = await office.ask(op, COLLEAGUE)
        await office.comes_to(command, "unknown")
        await office.call_is({"blind": "idle", "attended": "consulting"}[op])
        assert proxy.actions.count(action) == 1
        fields = {"id": command, "op": op, "number": COLLEAGUE, "first_ms": 0, "since_ms": 0, "call": None}
        await office.terminal.send(messages.COMMAND, fields)
        assert office.terminal.results(command)[-1] == ("unknown", None)
        assert proxy.actions.count(action) == 1


@pytest.mark.parametrize(("op", "action", "state"), [("complete", "Hangup", "idle"), ("cancel", "PlayDTMF", "talking")])
async def test_steering_whose_answer_was_lost_is_unknown_too_and_is_not_asked_again(lab, tmp_path, op, action, state):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        await office.talk()
        consultation = await office.ask("attended", COLLEAGUE)
        await office.comes_to(consultation, "consulting")
        asked = proxy.actions.count(action)
        proxy.cut_at(action, is_passed_on=True)
        await office.comes_to(await office.ask(op), "unknown")
        await office.call_is(state)
        await office.comes_to(consultation, "unknown")
        assert proxy.actions.count(action) == asked + 1


async def test_a_consultation_that_ended_while_the_pbx_was_away_is_unknown_and_the_call_can_be_transferred(
    lab, tmp_path
):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        await office.talk()
        command = await office.ask("attended", COLLEAGUE)
        await office.comes_to(command, "consulting")
        proxy.refuse()
        await lab.hang_up(COLLEAGUE)
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        proxy.accept()
        await office.comes_to(command, "unknown")
        await office.call_is("talking")
        await office.comes_to(await office.ask("blind", COLLEAGUE), "done")


async def test_a_pbx_that_restarts_in_mid_consultation_leaves_no_state_behind(office):
    await office.talk()
    command = await office.ask("attended", COLLEAGUE)
    await office.comes_to(command, "consulting")
    await office.lab.restart()
    await office.comes_to(command, "unknown")
    await office.call_is("idle")
    assert office.bridge.parts.running_commands.count == 0
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")


@pytest.mark.parametrize(("op", "result"), [("complete", "idle"), ("cancel", "talking")])
async def test_a_consultation_survives_a_restart_of_the_bridge_and_the_keypad_ends_it(office, op, result):
    call = await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    await office.reopen()
    assert office.told_call() == ("consulting", call)
    await office.comes_to(await office.ask(op), "done")
    await office.call_is(result)
    partner = COLLEAGUE if op == "complete" else USER
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, partner))


async def test_a_terminal_that_reboots_in_mid_transfer_is_shown_where_things_stand(office):
    call = await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    await office.boot()
    assert office.told_call() == ("consulting", call)
    await office.lab.hang_up(USER)
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")
    await office.journal_says("result", "done", None)


async def test_of_two_bridges_on_one_store_exactly_one_acts(lab, tmp_path):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        with pytest.raises(SetupProblem, match=r"Another bridge works with the store .* already: stop that"):
            await Bridge(office.settings, office.make_pbx(), office.link).start()
        await office.talk()
        await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
        assert proxy.actions.count("BlindTransfer") == 1
