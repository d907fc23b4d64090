"""Situations at the desk, each from the command to the terminal's messages, the PBX's state and the journal.

The other files test the PBX backend alone; README.md lists where every situation is tested.
"""

import pytest
import pytest_asyncio
from pbx.desk import CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER, are_talking, has, is_waiting, make_lab
from pbx.office import Office
from pbx.proxy import AmiProxy
from phoneterm.core import messages
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.directory import Directory

pytestmark = pytest.mark.asyncio(loop_scope="session")
OUTSIDE = "0123456"


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge on the PBX, and the terminal of extension 101."""
    async with Office(lab, tmp_path) as office:
        yield office


async def test_a_blind_transfer_is_done_and_the_journal_says_that_it_was_answered(office):
    await office.talk()
    command = await office.ask("blind", COLLEAGUE)
    await office.comes_to(command, "done")
    assert office.terminal.results(command) == [("accepted", None), ("done", None)]
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, COLLEAGUE))
    await office.journal_says("arrival", "answered", None)
    assert answer_why(office.engine, USER, None)["sentence"].endswith("sent to 102. The call was answered.")
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
    assert "Nobody answered there, because" in answer_why(office.engine, USER, None)["sentence"]


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
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, "trunk"))


async def test_what_is_keyed_without_a_call_is_refused(office):
    await office.comes_to(await office.ask("blind", COLLEAGUE, call=None), "rejected", "no-call")


async def test_what_is_keyed_before_the_call_is_answered_is_refused(office):
    await office.lab.set_behaviour(USER, "ring")
    await office.lab.place_call(CALLER, USER)
    await office.call_is("ringing")
    before = await office.lab.wait_until(lambda legs: has(legs, USER, "ringing"))
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


@pytest.mark.parametrize(("number", "reason"), [(USER, "self"), (CALLER, "destination")])
async def test_neither_oneself_nor_whom_one_talks_to_is_a_target(office, number, reason):
    await office.talk()
    for op in ("blind", "attended"):
        await office.comes_to(await office.ask(op, number), "rejected", reason)
    assert are_talking(await office.lab.legs(), CALLER, USER)


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
    await office.lab.wait_until(lambda legs: is_waiting(legs, CALLER))
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
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, COLLEAGUE))


async def test_complete_swap_and_cancel_from_the_keypad_each_end_in_a_result(office):
    await office.talk()
    first = await office.ask("attended", COLLEAGUE)
    await office.comes_to(first, "consulting")
    await office.comes_to(await office.ask("swap"), "done")
    await office.lab.wait_until(lambda legs: is_waiting(legs, COLLEAGUE))
    await office.comes_to(await office.ask("cancel"), "done")
    await office.comes_to(first, "returned", "cancelled")
    await office.call_is("talking")
    second = await office.ask("attended", COLLEAGUE)
    await office.comes_to(second, "consulting")
    await office.comes_to(await office.ask("complete"), "done")
    await office.comes_to(second, "done")
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")


async def test_a_second_transfer_during_a_consultation_is_refused(office):
    await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    for op in ("attended", "blind"):
        await office.comes_to(await office.ask(op, "190"), "rejected", "busy-transferring")


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
    await office.lab.wait_until(lambda legs: are_talking(legs, *left) if left else not legs)


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
    await office.lab.wait_until(lambda legs: are_talking(legs, "trunk", COLLEAGUE))


async def test_voicemail_that_answers_is_an_answer(office):
    await office.lab.set_behaviour(COLLEAGUE, "busy")
    await office.talk()
    command = await office.ask("attended", "191")
    await office.comes_to(command, "consulting")
    await office.comes_to(await office.ask("cancel"), "done")
    await office.comes_to(command, "returned", "cancelled")
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, USER))


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
        await lab.wait_until(lambda legs: are_talking(legs, CALLER, USER))
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
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, partner))


async def test_a_terminal_that_reboots_in_mid_transfer_is_shown_where_things_stand(office):
    call = await office.talk()
    await office.comes_to(await office.ask("attended", COLLEAGUE), "consulting")
    await office.boot()
    assert office.told_call() == ("consulting", call)
    await office.lab.hang_up(USER)
    await office.lab.wait_until(lambda legs: are_talking(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")
    await office.journal_says("result", "done", None)


async def test_of_two_bridges_on_one_store_exactly_one_acts(lab, tmp_path):
    async with AmiProxy(lab.ami) as proxy, Office(lab, tmp_path, proxy.ami) as office:
        with pytest.raises(SetupProblem, match=r"Another bridge works with the store .* already: stop that"):
            await Bridge(office.settings, office.make_pbx(), office.link).start()
        await office.talk()
        await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
        assert proxy.actions.count("BlindTransfer") == 1


async def test_a_command_that_names_no_number_of_the_dialplan_leaves_the_call_alone(open_office):
    office = await open_office()
    await office.talk()
    before = await office.lab.legs()
    await office.comes_to(await office.ask("blind", NO_SUCH_NUMBER), "rejected", "unknown-number")
    assert await office.lab.legs() == before


@pytest_asyncio.fixture(loop_scope="session")
async def open_office(kind, need_part, tmp_path):
    """A function that starts a separate PBX with options, and returns an office there."""
    opened = []

    async def open_one(**options):
        lab = make_lab(kind, need_part, **options)
        await lab.start()
        opened.append(lab.stop)
        office = await Office(lab, tmp_path).__aenter__()
        opened.append(office.__aexit__)
        return office

    yield open_one
    for close in reversed(opened):
        await close()
