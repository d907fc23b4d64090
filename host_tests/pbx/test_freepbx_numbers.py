"""Numbers of a FreePBX dialplan: which exist, which leave the house, and which no caller must reach."""

import json

import pytest
from pbx.desk import CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER
from pbx_lab.legs import are_alone, has_leg
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.pbx.port import Destination, Outcome, Target
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_reading import find_nearest
from phoneterm_bridge.wording.why import CAUSES, REASONS

pytestmark = pytest.mark.asyncio(loop_scope="session")

XFER, PHONES = "from-internal-xfer", "from-internal"
# Numbers, and what the dialplan says of them.
_NUMBERS = {
    COLLEAGUE: Destination("inside", "ext-local"),
    "600": Destination("inside", "ext-group"),
    "0301234": Destination("outside", "outrt-1"),
    "555": Destination("spy", "app-chanspy"),
    "888": Destination("barge", "app-zapbarge"),
    "197": Destination("mailbox", "app-vmmain"),
    "333": Destination("disa", "disa"),
    "7777": Destination("inside", "ext-test"),
    "*72103": Destination("settings", "app-cf-on"),
    "*8": Destination("pickup", "app-pickup"),
    "9801": Destination("spy", "app-chanspy"),  # at night
    "9802": Destination("spy", "app-chanspy"),  # by a Local channel
    "9803": Destination("inside", "from-internal-custom"),  # somebody's mobile was made a part of a group
    "9804": Destination("outside", "from-internal-custom"),  # the trunk, and what to send to it
    "9805": Destination("spy", "from-internal-custom"),  # sometimes
    "9806": Destination("outside", "outrt-1"),  # whoever dials it
    "9810301234": Destination("outside", "outrt-1"),  # what the user keyed
}


def witnesses(office):
    """Return what the journal has of both witnesses to the last command's number."""
    (check,) = (line for line in find_nearest(office.engine, USER, None).lines if line.stage == "check")
    return next(verdict[3] for verdict in json.loads(check.detail) if verdict[0] == "witnesses")


async def test_in_from_internal_a_number_that_leads_to_a_recording_does_not_exist(open_desk):
    desk = await open_desk(dialplan="freepbx")
    for context in (PHONES, XFER):
        assert await desk.pbx.is_known_number(context, NO_SUCH_NUMBER) is False
        assert await desk.pbx.is_known_number(context, COLLEAGUE) is True
        assert await desk.pbx.is_known_number(context, "0301234") is True
    call = await desk.talk()
    for op in ("blind", "attended"):
        outcome = await desk.pbx.carry_out(op, call, Target(PHONES, NO_SUCH_NUMBER))
        assert outcome == Outcome("failed", "unknown-number")
    assert are_alone(await desk.lab.legs(), CALLER, USER)


async def test_the_dialplan_says_what_a_number_is(open_desk):
    desk = await open_desk(dialplan="freepbx")
    for context in (PHONES, XFER):
        assert {number: await desk.pbx.destination_of(context, number) for number in _NUMBERS} == _NUMBERS


@pytest.mark.parametrize(
    ("number", "cause"), [("555", "spy"), ("888", "barge"), ("333", "disa"), ("197", "mailbox"), ("299", "outside")]
)
async def test_what_no_caller_must_reach_is_refused_although_its_digits_are_inside(open_office, number, cause):
    office = await open_office(dialplan="freepbx", has_wide_route=True)
    await office.talk()
    for op in ("blind", "attended"):
        await office.comes_to(await office.ask(op, number), "rejected", "destination")
        assert witnesses(office).startswith(f"digits: internal; dialplan: {cause}, ")
        assert CAUSES[cause] in answer_why(office.engine, USER, None)["sentence"]
    assert are_alone(await office.lab.legs(), CALLER, USER)


async def test_a_kind_that_is_allowed_by_name_is_a_target(open_office):
    office = await open_office(dialplan="freepbx", policy={"allow_kinds": ("disa",)})
    await office.talk()
    await office.comes_to(await office.ask("blind", "333"), "done")


async def test_an_extension_outside_by_the_dialplan_is_outside_for_who_may_call_there(open_office):
    office = await open_office(dialplan="freepbx", has_wide_route=True)
    Directory(office.bridge.parts.engine, "bridge").set_classes("t101", ["internal", "national"])
    await office.bridge.refresh()
    await office.talk()
    await office.comes_to(await office.ask("blind", NO_SUCH_NUMBER), "done")
    assert witnesses(office) == "digits: internal; dialplan: outside, outrt-2"
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, "trunk"))


async def test_after_a_restart_a_transfer_that_only_the_dialplan_called_outside_still_counts(open_office):
    office = await open_office(dialplan="freepbx", has_wide_route=True, policy={"external_per_hour": 1})
    Directory(office.bridge.parts.engine, "bridge").set_classes("t101", ["internal", "national"])
    await office.bridge.refresh()
    await office.talk()
    await office.comes_to(await office.ask("blind", NO_SUCH_NUMBER), "done")
    await office.lab.clear()
    await office.reopen()
    await office.talk()
    await office.comes_to(await office.ask("blind", NO_SUCH_NUMBER), "rejected", "rate")


async def test_a_caller_who_waits_in_a_queue_and_is_taken_there_is_told_so(open_office):
    office = await open_office(dialplan="freepbx")
    await office.talk()
    await office.lab.set_behaviour(USER, "ring")
    await office.comes_to(await office.ask("blind", "400"), "done")
    await office.journal_says("arrival", "queue", None)
    assert "The caller came into a queue." in answer_why(office.engine, USER, None)["sentence"]
    await office.lab.wait_until(lambda legs: has_leg(legs, USER, "ringing"))
    await office.lab.answer(USER)
    await office.journal_says("arrival", "answered", None)
    assert "The call was answered." in answer_why(office.engine, USER, None)["sentence"]


async def test_a_caller_who_is_parked_and_fetched_is_told_so(open_office):
    office = await open_office(dialplan="freepbx")
    await office.talk()
    await office.comes_to(await office.ask("blind", "170"), "done")
    await office.journal_says("arrival", "parking", None)
    assert "The caller was parked." in answer_why(office.engine, USER, None)["sentence"]
    await office.lab.place_call(COLLEAGUE, "171")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.journal_says("arrival", "answered", None)
    assert "The call was answered." in answer_why(office.engine, USER, None)["sentence"]


@pytest.mark.parametrize("reason", ["busy", "unavailable"])
async def test_do_not_disturb_and_a_phone_that_is_off_are_told_as_what_they_are(open_office, reason):
    office = await open_office(dialplan="freepbx", plays_busy=True)
    if reason == "unavailable":
        await office.lab.set_behaviour(COLLEAGUE, "unavailable")
    else:
        await office.lab.write_database("DND", COLLEAGUE, "YES")
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.journal_says("arrival", "not-answered", reason)
    await office.lab.hang_up(CALLER)
    assert f"Nobody answered there, because {REASONS[reason]}." in answer_why(office.engine, USER, None)["sentence"]


async def test_a_number_with_a_star_in_front_sends_the_caller_straight_to_a_mailbox(open_office, kind):
    office = await open_office(dialplan="freepbx", policy={"internal": ("internal", "mailbox")})
    await office.talk()
    await office.comes_to(await office.ask("blind", "*102"), "rejected", "destination")
    Directory(office.bridge.parts.engine, "bridge").set_classes("t101", ["internal", "mailbox"])
    await office.bridge.refresh()
    await office.comes_to(await office.ask("blind", "*97"), "rejected", "bad-number")
    await office.comes_to(await office.ask("blind", "*102"), "done")
    assert witnesses(office) == "digits: mailbox; dialplan: inside, ext-local"
    if kind == "asterisk":  # the simulator has no mailbox there
        await office.lab.wait_until(lambda legs: [(leg.endpoint, leg.state) for leg in legs] == [(CALLER, "up")])
