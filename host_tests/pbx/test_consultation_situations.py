"""Situations of a consultation, from the command to what the terminal is told and what the PBX has."""

import asyncio

import pytest
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx_lab.legs import are_alone, is_on_hold
from phoneterm.core import messages
from phoneterm_bridge.store.directory import Directory

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTSIDE = "0123456"


async def test_complete_swap_and_cancel_from_the_keypad_each_end_in_a_result(office):
    await office.talk()
    first = await office.ask("attended", COLLEAGUE)
    await office.comes_to(first, "consulting")
    await office.comes_to(await office.ask("swap"), "done")
    await office.lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE))
    await office.comes_to(await office.ask("cancel"), "done")
    await office.comes_to(first, "returned", "cancelled")
    await office.call_is("talking")
    second = await office.ask("attended", COLLEAGUE)
    await office.comes_to(second, "consulting")
    await office.comes_to(await office.ask("complete"), "done")
    await office.comes_to(second, "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")


async def test_a_second_transfer_during_a_consultation_is_refused(office):
    await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    for op in ("attended", "blind"):
        await office.comes_to(await office.ask(op, "190"), "rejected", "busy-transferring")


@pytest.mark.parametrize("kind", ["simulator"], indirect=True, scope="session")  # only there the end comes first
@pytest.mark.parametrize(
    ("op", "who", "end"),
    [
        ("cancel", COLLEAGUE, ("done", None)),
        ("swap", COLLEAGUE, ("returned", None)),
        ("complete", CALLER, ("failed", "caller-gone")),
    ],
)
async def test_a_command_whose_consultation_ends_before_it_is_decided_is_told_and_journalled(office, op, who, end):
    await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    fields = office.terminal.command(op, call=office.told_call()[1])
    await asyncio.gather(office.terminal.send(messages.COMMAND, fields), office.lab.hang_up(who))
    await office.comes_to(fields["id"], *end)
    await office.journal_says("result", *end)


async def test_a_terminal_whose_caller_hangs_up_is_told_so(office):
    await office.talk()
    command = await office.ask("attended", COLLEAGUE)
    await office.comes_to(command, "consulting")
    await office.lab.hang_up(CALLER)
    await office.comes_to(command, "failed", "caller-gone")
    await office.call_is("talking")


async def test_a_user_who_hangs_up_while_it_rings_is_told_how_it_ends(office):
    await office.lab.set_behaviour(COLLEAGUE, "ring")
    await office.talk()
    command = await office.ask("attended", COLLEAGUE)
    await office.comes_to(command, "ringing")
    await office.lab.hang_up(USER)
    await office.call_is("idle")
    assert office.terminal.results(command)[-1] == ("ringing", None)
    await office.lab.answer(COLLEAGUE)
    await office.comes_to(command, "done")


@pytest.mark.parametrize(
    ("drops", "state", "left"), [(False, "returned", [USER, CALLER]), (True, "failed", [])], ids=["no", "yes"]
)
async def test_where_nobody_answers_then_atxferdropcall_says_what_happens(open_office, drops, state, left):
    office = await open_office(ring_s=1, callback_delay_s=1, drops_unanswered=drops)
    await office.lab.set_behaviour(COLLEAGUE, "ring")
    await office.talk()
    command = await office.ask("attended", COLLEAGUE)
    await office.comes_to(command, "ringing")
    await office.lab.hang_up(USER)
    await office.comes_to(command, state, "no-answer")
    await office.lab.wait_until(lambda legs: are_alone(legs, *left) if left else not legs)


@pytest.mark.parametrize("number", ["150", "151"])
async def test_of_a_group_or_queue_the_first_answer_counts(office, number):
    await office.lab.place_call(USER, OUTSIDE)
    await office.call_is("talking")
    await office.lab.set_behaviour(CALLER, "ring")
    Directory(office.bridge.parts.engine, "bridge").set_classes("t101", ["internal", "national"])
    command = await office.ask("attended", number)
    await office.comes_to(command, "consulting")
    await office.lab.hang_up(USER)
    await office.comes_to(command, "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, "trunk", COLLEAGUE))


async def test_voicemail_that_answers_is_an_answer(office):
    await office.lab.set_behaviour(COLLEAGUE, "busy")
    await office.talk()
    command = await office.ask("attended", "191")
    await office.comes_to(command, "consulting")
    await office.comes_to(await office.ask("cancel"), "done")
    await office.comes_to(command, "returned", "cancelled")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
