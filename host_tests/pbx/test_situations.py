"""Situations at the desk, each from the command to what the terminal is told and what the PBX and the journal have.

What concerns the PBX backend alone is in the neighbours; README.md lists where every situation is tested.
"""

import pytest
from pbx.desk import CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER
from pbx.office import Office
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, has_leg, is_on_hold
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_reading import find_nearest
from phoneterm_bridge.wording.why import explain

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTSIDE = "0123456"
DISPLAYS_COLLEAGUE = "197"


async def test_a_blind_transfer_is_done_and_the_journal_says_that_it_was_answered(office):
    await office.talk()
    command = await office.ask("blind", COLLEAGUE)
    await office.comes_to(command, "done")
    assert office.terminal.results(command) == [("accepted", None), ("done", None)]
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.journal_says("arrival", "answered", None)
    assert "sent to 102. The call was answered." in answer_why(office.engine, USER, None)["sentence"]
    await office.call_is("idle")


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("busy", "busy"), ("reject", "refused-by-target"), ("unavailable", "unavailable"), ("ring", "no-answer")],
)
async def test_what_became_of_a_caller_who_was_not_answered_is_in_the_journal(open_office, behaviour, reason):
    office = await open_office(ring_s=1)
    await office.lab.set_behaviour(COLLEAGUE, behaviour)
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.journal_says("arrival", "not-answered", reason)
    sentence = answer_why(office.engine, USER, None)["sentence"]
    assert ("Nobody answered there, because" in sentence) == (reason != "no-answer")
    assert "Nobody answered there" in sentence and "because nobody answered" not in sentence


@pytest.mark.parametrize(
    ("number", "place", "reason", "words"),
    [
        ("190", "announcement", None, "The caller heard an announcement or music."),
        ("191", "mailbox", "busy", "The caller reached a mailbox, because the number was busy."),
    ],
)
async def test_a_machine_that_took_the_caller_is_told_as_what_it_is(office, number, place, reason, words):
    await office.lab.set_behaviour(COLLEAGUE, "busy")
    await office.talk()
    await office.comes_to(await office.ask("blind", number), "done")
    await office.journal_says("arrival", place, reason)
    assert words in answer_why(office.engine, USER, None)["sentence"]
    await office.lab.hang_up(CALLER)
    await office.journal_says("arrival", "left-again", None)
    sentence = answer_why(office.engine, USER, None)["sentence"]
    assert words in sentence
    assert "Nobody answered" not in sentence


async def test_a_caller_who_left_before_anybody_looked_is_not_said_to_have_found_nobody(office):
    await office.talk()
    await office.comes_to(await office.ask("blind", "190"), "done")
    await office.lab.hang_up(CALLER)
    await office.journal_says("arrival", "left-again", None)
    assert "whether anybody took the call is not known" in answer_why(office.engine, USER, None)["sentence"]


async def test_a_caller_who_hangs_up_while_it_rings_there_is_in_the_journal(office):
    await office.lab.set_behaviour(COLLEAGUE, "ring")
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.lab.wait_until(lambda legs: any(leg.endpoint == COLLEAGUE for leg in legs))
    await office.lab.hang_up(CALLER)
    await office.journal_says("arrival", "not-answered", "caller-gone")


async def test_whom_the_user_called_can_be_sent_on_and_followed_too(office):
    await office.lab.place_call(USER, CALLER)
    await office.call_is("talking")
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.journal_says("arrival", "answered", None)


async def test_a_number_outside_is_refused_before_the_pbx_is_touched(lab, tmp_path):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        await office.talk()
        before, asked = await lab.legs(), len(proxy.actions)
        for op in ("blind", "attended"):
            await office.comes_to(await office.ask(op, OUTSIDE), "rejected", "destination")
        assert await lab.legs() == before
        assert proxy.actions[asked:] == []


async def test_a_number_outside_is_called_once_its_class_is_allowed(office):
    Directory(office.bridge.parts.engine, "bridge").set_classes("t101", ["internal", "national"])
    await office.bridge.refresh()
    await office.talk()
    await office.comes_to(await office.ask("blind", OUTSIDE), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, "trunk"))


async def test_what_is_keyed_without_a_call_is_refused(office):
    await office.comes_to(await office.ask("blind", COLLEAGUE, call=None), "rejected", "no-call")


async def test_what_is_keyed_before_the_call_is_answered_is_refused(office):
    await office.lab.set_behaviour(USER, "ring")
    await office.lab.place_call(CALLER, USER)
    await office.call_is("ringing")
    before = await office.lab.wait_until(lambda legs: has_leg(legs, USER, "ringing"))
    await office.comes_to(await office.ask("blind", COLLEAGUE), "rejected", "not-answered")
    assert await office.lab.legs() == before


@pytest.mark.parametrize("machine", ["190", "191"])
async def test_a_call_with_a_machine_or_voicemail_is_not_transferred(office, machine):
    await office.lab.set_behaviour(COLLEAGUE, "busy")
    await office.lab.place_call(USER, machine)
    await office.calls_are("elsewhere")
    (before,) = await office.lab.wait_until(lambda legs: [leg.state for leg in legs] == ["up"])
    await office.comes_to(await office.ask("blind", "101", call=None), "rejected", "self")
    await office.comes_to(await office.ask("blind", CALLER, call=None), "rejected", "no-call")
    assert [(leg.channel, leg.state) for leg in await office.lab.legs()] == [(before.channel, "up")]


async def test_who_is_in_a_conference_is_told_of_no_call_and_why_says_what_it_was(office):
    for endpoint in (USER, CALLER):
        await office.lab.place_call(endpoint, "180")
        await office.lab.wait_until(lambda legs, who=endpoint: any(leg.endpoint == who and leg.bridge for leg in legs))
    before = await office.lab.legs()
    await office.calls_are("elsewhere")
    await office.call_is("idle")
    for op in ("blind", "attended"):
        await office.comes_to(await office.ask(op, COLLEAGUE, call=None), "rejected", "no-call")
    assert "in a conference" in explain(find_nearest(office.engine, USER, None))
    await office.reopen()
    await office.calls_are("elsewhere")
    assert await office.lab.legs() == before


@pytest.mark.parametrize(("number", "reason"), [(USER, "self"), (CALLER, "destination")])
async def test_neither_oneself_nor_whom_one_talks_to_is_a_target(office, number, reason):
    await office.talk()
    for op in sorted({"blind", "attended"} & office.bridge.parts.pbx.operations):
        await office.comes_to(await office.ask(op, number), "rejected", reason)
    assert are_alone(await office.lab.legs(), CALLER, USER)


async def test_it_is_said_who_hung_up_between_key_and_command(office):
    for who, reason in ((CALLER, "caller-gone"), (USER, "no-call")):
        call = await office.talk()
        await office.lab.hang_up(who)
        await office.call_is("idle")
        await office.comes_to(await office.ask("blind", COLLEAGUE, call=call), "rejected", reason)
        await office.lab.wait_until(lambda legs: not legs)


async def test_of_two_calls_the_one_that_the_phone_does_not_hold_is_transferred(office):
    await office.talk()
    await office.lab.hold(USER)
    await office.lab.place_call(USER, OUTSIDE)
    await office.calls_are("held", "talking")
    command = await office.ask("blind", COLLEAGUE, call=None)
    await office.comes_to(command, "done")
    await office.lab.wait_until(lambda legs: is_on_hold(legs, CALLER))
    await office.lab.wait_until(lambda legs: (COLLEAGUE, "trunk") in {(leg.endpoint, leg.connected_to) for leg in legs})
    await office.lab.wait_until(lambda legs: [leg.endpoint for leg in legs].count(USER) == 1)


async def test_of_two_calls_the_one_whose_caller_the_pbx_holds_is_not_taken_for_the_other(office):
    """The PBX holds the caller of a consultation: with a second call up, the reference names the right one."""
    first = await office.talk()
    consultation = await office.ask("attended", COLLEAGUE)
    await office.comes_to(consultation, "consulting")
    await office.lab.place_call("103", USER)
    await office.calls_are("consulting", "talking")
    second = next(call.ref for call in office.bridge.parts.pbx.calls(USER) if call.ref != first)
    await office.comes_to(await office.ask("blind", "190", call=None), "rejected", "ambiguous")
    await office.comes_to(await office.ask("blind", "190", call=second), "done")
    await office.comes_to(await office.ask("cancel", None, call=first), "done")
    await office.comes_to(consultation, "returned", "cancelled")


async def test_a_call_on_hold_is_not_taken_for_the_one_that_the_user_is_about_to_have(office):
    await office.talk()
    await office.lab.hold(USER)
    await office.lab.set_behaviour(COLLEAGUE, "ring")
    await office.lab.place_call(USER, COLLEAGUE)
    await office.calls_are("held", "dialling")
    assert office.told_call() == ("talking", None)
    await office.comes_to(await office.ask("blind", "190"), "rejected", "ambiguous")


async def test_of_two_live_calls_none_is_taken(office):
    await office.lab.place_call(CALLER, USER)
    await office.lab.place_call(USER, OUTSIDE)
    await office.calls_are("talking", "talking")
    before = await office.lab.wait_until(lambda legs: [bool(leg.connected_to) for leg in legs] == 4 * [True])
    await office.comes_to(await office.ask("blind", COLLEAGUE, call=None), "rejected", "ambiguous")
    assert await office.lab.legs() == before


async def test_a_call_that_the_user_holds_is_transferred_when_it_is_the_only_one(office):
    await office.talk()
    await office.lab.hold(USER)
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_command_that_names_no_number_of_the_dialplan_leaves_the_call_alone(open_office):
    office = await open_office()
    await office.talk()
    before = await office.lab.legs()
    await office.comes_to(await office.ask("blind", NO_SUCH_NUMBER), "rejected", "unknown-number")
    assert await office.lab.legs() == before


async def test_a_number_that_the_caller_only_displays_is_a_target_and_the_callers_line_is_none(office):
    await office.lab.place_call(CALLER, DISPLAYS_COLLEAGUE)
    await office.call_is("talking")
    (call,) = office.bridge.parts.pbx.calls(USER)
    assert call.peer == COLLEAGUE
    await office.comes_to(await office.ask("blind", CALLER), "rejected", "destination")
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
