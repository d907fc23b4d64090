"""Situations of a composed transfer, from the command to what the terminal and `why` are told, and what a restart of
the bridge or of VoipNow leaves of it."""

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx.office import Office
from pbx_lab.legs import are_alone, is_on_hold, is_talking
from phoneterm.core import messages
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.store.journal_reading import find_nearest

pytestmark = pytest.mark.asyncio(loop_scope="session")

TWICE = "The colleague was rung twice: VoipNow has no attended transfer, so it was composed of hold, call and transfer."


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge that composes attended transfers, and the terminal of extension 101."""
    async with Office(lab, tmp_path, changes=("voipnow.attended=composed",)) as office:
        yield office


async def consult(office):
    await office.talk()
    command = await office.ask("attended", COLLEAGUE)
    await office.comes_to(command, "consulting")
    return command


async def test_the_complete_key_connects_the_two_and_why_tells_that_it_rang_twice(office):
    command = await consult(office)
    await office.comes_to(await office.ask("complete"), "done")
    await office.comes_to(command, "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")
    worked = f"It worked: the caller was connected to 102. {TWICE}"
    await until(lambda: worked in answer_why(office.engine, USER, None, "attended")["sentence"])


async def test_the_cancel_key_brings_the_caller_back(office):
    command = await consult(office)
    await office.comes_to(await office.ask("cancel"), "done")
    await office.comes_to(command, "returned", "cancelled")
    await office.call_is("talking")
    assert are_alone(await office.lab.legs(), CALLER, USER)
    assert TWICE not in answer_why(office.engine, USER, None, "attended")["sentence"]


async def test_swap_is_refused_and_why_says_that_the_phone_does_it(office):
    await consult(office)
    await office.comes_to(await office.ask("swap"), "rejected", "unsupported")
    assert "only the phone's own keys switch between the two" in answer_why(office.engine, USER, None)["sentence"]


@pytest.mark.parametrize("way", ["cut-after", "cut-before"])
@pytest.mark.parametrize("action", ["OnHold", "MakeCall"])
async def test_a_command_whose_answer_was_lost_is_unknown_and_is_not_asked_again(office, action, way):
    await office.talk()
    office.lab.faults.add(action, way)
    command = await office.ask("attended", COLLEAGUE)
    await office.comes_to(command, "unknown")
    fields = {"id": command, "op": "attended", "number": COLLEAGUE, "first_ms": 0, "since_ms": 0, "call": None}
    await office.terminal.send(messages.COMMAND, fields)
    assert office.terminal.results(command)[-1] == ("unknown", None)
    assert office.lab.acted.count(action) == 1
    assert "MakeCall" not in office.lab.acted or action == "MakeCall"


async def test_a_caller_who_stays_on_hold_because_voipnow_refuses_is_shown_to_the_phone(office):
    """Its cancel key is what asks again."""
    await office.talk()
    office.lab.faults.add("OnHold", "cut-after")
    office.lab.faults.add("OffHold", "403")
    await office.comes_to(await office.ask("attended", COLLEAGUE), "unknown")
    await office.call_is("consulting")
    await office.comes_to(await office.ask("cancel"), "done")
    await office.call_is("talking")
    assert are_alone(await office.lab.legs(), CALLER, USER)


@pytest.mark.parametrize(("op", "action"), [("complete", "Transfer"), ("cancel", "OffHold")])
async def test_steering_whose_answer_was_lost_is_unknown_and_the_list_says_what_came_of_it(office, op, action):
    command = await consult(office)
    office.lab.faults.add(action, "cut-after")
    await office.comes_to(await office.ask(op), "unknown")
    await office.comes_to(command, *(("unknown", None) if op == "complete" else ("returned", "cancelled")))
    await office.call_is({"complete": "idle", "cancel": "talking"}[op])
    assert office.lab.acted.count(action) == 1


async def test_a_bridge_that_restarts_between_hold_and_call_shows_the_caller_on_hold(office):
    """Nobody was called yet, so there is no consultation; the call is the user's, to transfer or to take back."""
    call = await office.talk()
    office.lab.faults.add("MakeCall", "cut-before")
    await office.comes_to(await office.ask("attended", COLLEAGUE), "unknown")
    await office.reopen()
    assert office.told_call() == ("talking", call)
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_consultation_whose_end_a_stopped_bridge_has_not_seen_is_unknown_and_acts_on_nothing(office):
    await consult(office)
    await office.bridge.stop()
    await office.lab.hang_up(COLLEAGUE)
    acted = list(office.lab.acted)
    await office.open()
    await office.call_is("talking")
    assert [(line.stage, line.word) for line in find_nearest(office.engine, USER, None).lines][-1] == (
        "result", "unknown")  # fmt: skip
    assert office.lab.acted == acted
    assert is_on_hold(await office.lab.legs(), CALLER)


async def test_where_no_caller_id_is_shown_a_restart_leaves_two_calls_and_the_phones_own_keys(office):
    office.lab.shapes.shows_given_caller_id = False
    await consult(office)
    await office.reopen()
    await office.calls_are("held", "talking")
    assert is_talking(await office.lab.legs(), USER, COLLEAGUE)


async def test_a_voipnow_that_restarts_in_mid_consultation_leaves_no_state_behind(office):
    await consult(office)
    await office.lab.restart()
    await office.call_is("idle")
    await until(lambda: office.bridge.parts.running_commands.count == 0)
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")


async def test_a_terminal_that_reboots_in_mid_consultation_is_shown_where_things_stand(office):
    call = await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    await office.boot()
    assert office.told_call() == ("consulting", call)
    await office.comes_to(await office.ask("complete"), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
