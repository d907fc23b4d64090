"""Situations at a desk on VoipNow, from the command to what the terminal and the journal are told, where they differ
from those on Asterisk."""

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER
from pbx_lab.legs import are_alone
from phoneterm.core import messages
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.console.stories import read_stories
from phoneterm_bridge.store.journal_reading import find_nearest

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTSIDE = "0123456"


async def test_a_blind_transfer_is_accepted_and_then_done(office):
    await office.talk()
    command = await office.ask("blind", COLLEAGUE)
    await office.comes_to(command, "done")
    assert office.terminal.results(command) == [("accepted", None), ("done", None)]
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")
    await office.journal_says("result", "done", None)
    assert "sent to 102." in answer_why(office.engine, USER, None)["sentence"]


async def test_of_a_caller_who_was_not_answered_the_journal_says_nothing(office):
    await office.lab.set_behaviour(COLLEAGUE, "ring")
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.lab.hang_up(CALLER)
    await office.lab.wait_until(lambda legs: not legs)
    await office.lab.place_call(CALLER, USER)
    await office.call_is("talking")
    assert "answered" not in answer_why(office.engine, USER, None)["sentence"]


async def test_why_an_attended_transfer_is_refused_is_said_whoever_refuses_it(office):
    await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "rejected", "unsupported")
    because = "because there is no attended transfer at VoipNow; one can be composed of hold, call and transfer"
    assert f"It did not work, {because}" in answer_why(office.engine, USER, None)["sentence"]
    report = {"boot": "b001", "count": 1, "ago_s": 0, "reason": "unsupported", "op": "attended"}
    await office.terminal.send(messages.REFUSAL, report)
    await office.bridge.refresh()
    assert f"The phone itself refused it, {because}" in answer_why(office.engine, USER, None)["sentence"]
    (story,) = read_stories(office.engine, [find_nearest(office.engine, USER, None).command.entry])
    assert story.steps[-1].why.startswith("there is no attended transfer at VoipNow")


async def test_a_number_outside_is_refused_before_voipnow_is_asked_to_act(office):
    await office.talk()
    await office.comes_to(await office.ask("blind", OUTSIDE), "rejected", "destination")
    assert office.lab.acted == []
    assert "GET /uapi/phoneCalls/@me/0003*101" not in office.lab.requests


async def test_numbers_of_this_organization_are_the_same_with_and_without_it(office):
    await office.talk()
    await office.comes_to(await office.ask("blind", "0003*103"), "rejected", "destination")
    await office.comes_to(await office.ask("blind", "0003*101"), "failed", "self")
    assert office.lab.acted == []
    await office.comes_to(await office.ask("blind", "0003*102"), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_terminal_of_another_organization_is_watched_by_its_whole_number(office):
    other = office.enrol("t210", "0004*210")
    await office.bridge.refresh()
    assert office.bridge.parts.directory.find(other.tid).endpoint == "0004*210"


async def test_a_number_that_voipnow_does_not_take_fails_and_the_caller_stays(office):
    await office.talk()
    command = await office.ask("blind", NO_SUCH_NUMBER)
    await office.comes_to(command, "failed", "unknown-number")
    assert are_alone(await office.lab.legs(), CALLER, USER)
    await office.journal_says("result", "failed", "unknown-number")
    assert "the PBX knows no such number" in answer_why(office.engine, USER, None)["sentence"]


async def test_a_caller_who_hangs_up_at_the_last_moment_is_not_looked_for(office):
    await office.talk()
    office.lab.faults.add("action", "lose-call")
    await office.comes_to(await office.ask("blind", COLLEAGUE), "failed", "no-call")
    await office.call_is("idle")
    assert office.lab.acted == ["Transfer"]


@pytest.mark.parametrize("way", ["cut-after", "cut-before"])
async def test_a_command_whose_answer_was_lost_is_unknown_and_the_list_says_where_the_user_stands(office, way):
    await office.talk()
    office.lab.faults.add("action", way)
    command = await office.ask("blind", COLLEAGUE)
    await office.comes_to(command, "unknown")
    await office.call_is({"cut-after": "idle", "cut-before": "talking"}[way])
    fields = {"id": command, "op": "blind", "number": COLLEAGUE, "first_ms": 0, "since_ms": 0, "call": None}
    await office.terminal.send(messages.COMMAND, fields)
    assert office.terminal.results(command)[-1] == ("unknown", None)
    assert office.lab.acted == ["Transfer"]


async def test_a_transfer_with_voipnows_own_rights_missing_says_that_the_pbx_forbids_it(office):
    await office.talk()
    office.lab.faults.add("action", "403")
    await office.comes_to(await office.ask("blind", COLLEAGUE), "failed", "not-permitted-by-pbx")
    assert are_alone(await office.lab.legs(), CALLER, USER)


async def test_a_voipnow_that_restarts_leaves_no_call_behind_and_works_again(office):
    await office.talk()
    await office.lab.restart()
    await office.call_is("idle")
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")


async def test_a_bridge_that_restarts_knows_the_same_call_by_the_same_reference(office):
    call = await office.talk()
    await office.reopen()
    assert office.told_call() == ("talking", call)
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")


async def test_a_terminal_that_reboots_after_a_transfer_is_shown_that_it_has_no_call(office):
    await office.talk()
    office.lab.shapes.effect_after_s = 0.3
    await office.ask("blind", COLLEAGUE)
    await office.boot()
    await office.call_is("idle")
    await office.journal_says("result", "done", None)


async def test_a_bridge_whose_app_is_refused_is_degraded_and_says_so(office):
    office.lab.tokens.is_trusted = False
    office.lab.tokens.expire_all()
    health = office.bridge.parts.health
    await until(lambda: "pbx" in health.missing())
    assert health.missing()["pbx"].startswith("The PBX refuses the bridge's login")
    office.lab.tokens.is_trusted = True
    await until(lambda: "pbx" not in health.missing())
