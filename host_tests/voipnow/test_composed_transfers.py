"""The attended transfer that is composed of hold, call and transfer: what it does, how it ends, what it never does."""

import asyncio

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, NO_SUCH_NUMBER, USER, Desk, to
from pbx_lab.legs import are_alone, has_leg, is_gone, is_on_hold, is_talking
from phoneterm_bridge.pbx.port import Outcome
from phoneterm_bridge.pbx.voipnow.call_table import OUR_NAME
from voipnow_lab.call_table import GIVEN_CALLER_ID
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

COMPOSED = ("voipnow.attended=composed",)
UNKNOWN = Outcome("unknown")
THE_WAY = ["OnHold", "MakeCall"]


def failed(reason):
    return Outcome("failed", reason)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(lab, clock):
    """A backend that composes attended transfers, and its reports."""
    async with Desk(lab, clock=clock, changes=COMPOSED) as desk:
        yield desk


async def caller_is_back(desk):
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))


async def test_the_caller_waits_while_the_user_talks_to_the_colleague(desk):
    call = await desk.consult()
    legs = await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER))
    assert is_talking(legs, USER, COLLEAGUE)
    assert desk.lab.acted == THE_WAY
    assert [(one.ref, one.state) for one in desk.pbx.calls(USER)] == [(call.ref, "consulting")]
    assert {ref for ref, _, _ in desk.progress} == {call.ref}


async def test_the_colleague_is_rung_twice_before_caller_and_colleague_talk(desk):
    """The flaw of a composed transfer: the caller cannot be put through to the call that was answered."""
    call = await desk.consult()
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: has_leg(legs, COLLEAGUE, "ringing") and is_gone(legs, USER))
    await desk.result("done")
    await desk.lab.answer(COLLEAGUE)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer"]
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())


async def test_the_users_own_phone_rings_first(desk):
    call = await desk.talk()
    await desk.lab.set_behaviour(USER, "ring")
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: has_leg(legs, USER, "ringing"))
    await desk.call_in_state("consulting")
    assert desk.states() == []
    await desk.lab.answer(USER)
    await desk.result("ringing")
    await desk.lab.answer(COLLEAGUE)
    await desk.result("consulting")


@pytest.mark.parametrize("endpoint", [USER, COLLEAGUE])
@pytest.mark.parametrize("behaviour", ["busy", "reject", "unavailable"])
async def test_when_nobody_takes_the_call_the_caller_is_back(desk, endpoint, behaviour):
    call = await desk.talk()
    await desk.lab.set_behaviour(endpoint, behaviour)
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("returned")
    await caller_is_back(desk)
    assert desk.lab.acted[:3] == [*THE_WAY, "OffHold"]
    assert (await desk.call_in_state("talking")).ref == call.ref


async def test_a_call_that_no_list_has_shown_when_the_caller_is_back_is_prevented_from_coming_late(desk):
    """VoipNow knows its id, so it may still be on its way."""
    call = await desk.talk()
    await desk.lab.set_behaviour(USER, "busy")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await until(lambda: desk.lab.acted == [*THE_WAY, "OffHold", "HangUp"])
    await caller_is_back(desk)


async def test_the_end_of_the_consultation_without_a_key_brings_the_caller_back_whoever_hung_up(desk):
    call = await desk.consult()
    await desk.lab.hang_up(COLLEAGUE)
    await desk.result("returned")
    await caller_is_back(desk)
    assert desk.lab.acted == [*THE_WAY, "OffHold"]
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED


async def test_a_user_who_hangs_up_everything_has_transferred_nobody(desk):
    await desk.consult()
    await desk.lab.hang_up(USER)
    await desk.result("failed", "no-call")
    assert desk.lab.acted == THE_WAY


@pytest.mark.parametrize("number", [NO_SUCH_NUMBER])
async def test_a_number_that_voipnow_does_not_take_leaves_the_call_as_it_was(desk, number):
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(number)) == failed("unknown-number")
    await caller_is_back(desk)
    await desk.call_in_state("talking")
    assert desk.lab.acted == [*THE_WAY, "OffHold"]


@pytest.mark.parametrize(("number", "reason"), [("101", "self"), ("0003*101", "self"), ("**1", "bad-number")])
async def test_what_cannot_be_called_is_refused_before_the_caller_is_put_on_hold(desk, number, reason):
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(number)) == failed(reason)
    assert desk.lab.acted == []


async def test_swap_is_no_operation_of_it(desk):
    call = await desk.consult()
    assert "swap" not in desk.pbx.operations
    assert await desk.pbx.carry_out("swap", call, None) == failed("unsupported")


@pytest.mark.parametrize(
    ("way", "reason"), [("400", "not-permitted-by-pbx"), ("403", "not-permitted-by-pbx"), ("429", "rate"),
                        ("401", "pbx-unreachable"), ("redirect", "pbx-unreachable"), ("lose-call", "no-call")],
)  # fmt: skip
async def test_a_hold_that_is_refused_is_the_end_of_it_and_nobody_is_called(desk, way, reason):
    call = await desk.talk()
    desk.lab.faults.add("OnHold", way)
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == failed(reason)
    assert desk.lab.acted == ["OnHold"]
    if way != "lose-call":
        assert are_alone(await desk.lab.legs(), CALLER, USER)
        assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED


@pytest.mark.parametrize("way", ["cut-before", "cut-after", "half", "no-json", "500"])
async def test_a_hold_without_an_answer_is_unknown_and_a_caller_who_is_on_hold_comes_back(desk, way):
    call = await desk.talk()
    desk.lab.faults.add("OnHold", way)
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == UNKNOWN
    was_held = way not in ("cut-before", "500")
    if was_held:
        await desk.lab.wait_until(lambda legs: "OffHold" in desk.lab.acted and are_alone(legs, CALLER, USER))
    assert desk.lab.acted == (["OnHold", "OffHold"] if was_held else ["OnHold"])
    assert are_alone(await desk.lab.legs(), CALLER, USER)


@pytest.mark.parametrize(
    ("way", "reason"), [("400", "unknown-number"), ("403", "not-permitted-by-pbx"), ("429", "rate"),
                        ("401", "pbx-unreachable")],
)  # fmt: skip
async def test_a_call_that_is_refused_takes_the_caller_off_hold(desk, way, reason):
    call = await desk.talk()
    desk.lab.faults.add("MakeCall", way)
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == failed(reason)
    await caller_is_back(desk)
    await desk.call_in_state("talking")
    assert desk.lab.acted == [*THE_WAY, "OffHold"]


@pytest.mark.parametrize("way", ["cut-after", "half", "no-json"])
async def test_a_call_whose_answer_was_lost_is_unknown_and_the_list_shows_it(desk, way):
    call = await desk.talk()
    desk.lab.faults.add("MakeCall", way)
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == UNKNOWN
    await desk.result("consulting")
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer"]


async def test_an_answer_that_does_not_name_the_call_is_enough(desk):
    desk.lab.shapes.names_made_call = False
    call = await desk.consult()
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await caller_is_back(desk)


async def test_a_call_that_no_list_ever_shows_brings_the_caller_back(desk, clock):
    call = await desk.talk()
    desk.lab.faults.add("MakeCall", "cut-before")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == UNKNOWN
    assert is_on_hold(await desk.lab.legs(), CALLER)
    clock.skip(11)
    await caller_is_back(desk)
    await desk.call_in_state("talking")
    assert desk.lab.acted == [*THE_WAY, "OffHold"]


@pytest.mark.parametrize("way", ["cut-after", "half", "no-json", "nothing"])
async def test_the_end_of_the_consultation_needs_no_answer_if_the_list_shows_it(desk, way):
    call = await desk.consult()
    desk.lab.faults.add("HangUp", way)
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer"]


@pytest.mark.parametrize("op", ["complete", "cancel"])
@pytest.mark.parametrize("way", ["cut-before", "500"])
async def test_a_consultation_that_may_have_ended_and_has_not_goes_on(desk, op, way):
    call = await desk.consult()
    desk.lab.faults.add("HangUp", way)
    assert await desk.pbx.carry_out(op, call, None) == UNKNOWN
    assert desk.lab.acted == [*THE_WAY, "HangUp"]
    assert is_talking(await desk.lab.legs(), USER, COLLEAGUE)
    assert is_on_hold(await desk.lab.legs(), CALLER)
    assert await desk.pbx.carry_out(op, call, None) == ACCEPTED


@pytest.mark.parametrize(
    ("way", "reason"), [("400", "unknown-number"), ("403", "not-permitted-by-pbx"), ("429", "rate")]
)
async def test_a_caller_whom_voipnow_does_not_send_on_comes_back(desk, way, reason):
    call = await desk.consult()
    desk.lab.faults.add("Transfer", way)
    assert await desk.pbx.carry_out("complete", call, None) == failed(reason)
    await desk.result("returned", reason)
    await caller_is_back(desk)
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer", "OffHold"]


async def test_a_caller_who_hangs_up_at_the_last_moment_is_not_looked_for(desk):
    call = await desk.consult()
    desk.lab.faults.add("Transfer", "lose-call")
    assert await desk.pbx.carry_out("complete", call, None) == failed("no-call")
    await desk.result("failed", "no-call")
    await desk.lab.wait_until(lambda legs: not legs)
    assert desk.lab.acted.count("Transfer") == 1
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())


@pytest.mark.parametrize("way", ["cut-after", "half", "no-json"])
async def test_a_completion_whose_answer_was_lost_is_unknown_and_the_list_shows_it(desk, way):
    call = await desk.consult()
    desk.lab.faults.add("Transfer", way)
    assert await desk.pbx.carry_out("complete", call, None) == UNKNOWN
    await desk.result("unknown")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer"]


async def test_a_completion_that_has_not_happened_gives_the_caller_back_and_is_not_asked_for_again(desk, clock):
    call = await desk.consult()
    desk.lab.faults.add("Transfer", "cut-before")
    assert await desk.pbx.carry_out("complete", call, None) == UNKNOWN
    clock.skip(11)
    await caller_is_back(desk)
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer", "OffHold"]


async def test_a_caller_who_could_not_be_taken_off_hold_is_taken_off_by_the_next_cancel_key(desk):
    call = await desk.consult()
    desk.lab.faults.add("OffHold", "403")
    await desk.lab.hang_up(COLLEAGUE)
    await desk.result("failed", "not-permitted-by-pbx")
    assert is_on_hold(await desk.lab.legs(), CALLER)
    assert [one.state for one in desk.pbx.calls(USER)] == ["consulting"]
    assert await desk.pbx.carry_out("complete", call, None) == failed("no-call")
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await caller_is_back(desk)
    await desk.call_in_state("talking")
    assert desk.lab.acted == [*THE_WAY, "OffHold", "OffHold"]


async def test_a_user_who_takes_the_caller_back_by_hand_is_not_interfered_with(desk):
    await desk.consult()
    await desk.lab.unhold(USER)
    await desk.lab.wait_until(lambda legs: not is_on_hold(legs, CALLER))
    await desk.lab.hang_up(COLLEAGUE)
    await desk.result("returned")
    assert desk.lab.acted == THE_WAY


async def test_a_caller_whom_the_user_holds_by_hand_stays_on_hold_after_the_consultation(desk):
    call = await desk.talk()
    await desk.lab.hold(USER)
    call = await desk.call_in_state("held")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("consulting")
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    assert desk.lab.acted == ["MakeCall", "HangUp"]
    await desk.call_in_state("held")


async def test_without_any_list_nothing_is_asked_for(desk):
    call = await desk.consult()
    desk.lab.faults.add("list", "500", ALWAYS)
    for op in ("complete", "cancel"):
        assert await desk.pbx.carry_out(op, call, None) == failed("pbx-unreachable")
    assert desk.lab.acted == THE_WAY


async def test_a_consultation_is_not_ended_while_voipnow_does_not_want_to_be_asked(desk):
    call = await desk.consult()
    desk.lab.faults.add("list", "429", ALWAYS)
    for op in ("complete", "cancel"):
        assert await desk.pbx.carry_out(op, call, None) == failed("rate")
    assert desk.lab.acted == THE_WAY
    desk.lab.faults.clear()
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED


@pytest.mark.parametrize("shapes", [{"has_other_views": False}, {"has_holder": False}, {"updated": "object"},
                                    {"entries": "object"}, {"caller_id": "callerID"}, {"page": 1}],
                         ids=str)  # fmt: skip
@pytest.mark.parametrize("lists", ["together", "each"])
async def test_it_works_in_every_shape_of_an_answer(lab, clock, shapes, lists):
    for name, value in shapes.items():
        setattr(lab.shapes, name, value)
    async with Desk(lab, clock=clock, changes=(*COMPOSED, f"voipnow.lists={lists}")) as desk:
        desk.pbx.watch(frozenset((USER,)))
        call = await desk.consult()
        assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
        await desk.result("returned", "cancelled")
        await caller_is_back(desk)


async def test_where_no_caller_id_is_shown_the_answer_names_the_call(desk):
    desk.lab.shapes.shows_given_caller_id = False
    call = await desk.consult()
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))


async def test_a_voipnow_that_was_away_shows_the_consultation_again(desk):
    call = await desk.consult()
    await desk.lab.close_https()
    await desk.wait_until(lambda: not desk.pbx.is_available)
    assert desk.pbx.calls(USER) == ()
    await desk.lab.open_https()
    await desk.call_in_state("consulting")
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")


async def test_a_call_that_the_user_makes_by_hand_beside_a_held_one_is_no_consultation(desk):
    await desk.talk()
    await desk.lab.hold(USER)
    await desk.call_in_state("held")
    await desk.lab.place_call(USER, COLLEAGUE)
    await desk.call_in_state("talking")
    assert sorted(one.state for one in desk.pbx.calls(USER)) == ["held", "talking"]


@pytest.mark.parametrize(("slow", "comes_to"), [("OnHold", "returned"), ("MakeCall", "consulting")])
async def test_what_takes_longer_than_a_command_may_is_still_followed(lab, clock, slow, comes_to):
    """Hold and call may each take up to `timeout_ms`; the command's own limit can end between them."""
    async with Desk(lab, clock=clock, changes=(*COMPOSED, "voipnow.timeout_ms=8000")) as desk:
        call = await desk.talk()
        lab.faults.slow_s = 600
        lab.faults.add(slow, "slow")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await desk.pbx.carry_out("attended", call, to(COLLEAGUE))
        await desk.result(comes_to)
        if slow == "OnHold":
            await caller_is_back(desk)
        assert lab.acted == (["OnHold", "OffHold"] if slow == "OnHold" else THE_WAY)


async def test_while_something_is_asked_for_nothing_else_is(desk):
    call = await desk.talk()
    desk.lab.faults.slow_s = 0.5
    desk.lab.faults.add("OnHold", "slow")
    begun = asyncio.create_task(desk.pbx.carry_out("attended", call, to(COLLEAGUE)))
    await until(lambda: desk.lab.acted == ["OnHold"])
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == failed("busy-transferring")
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == failed("busy-transferring")
    assert await desk.pbx.carry_out("cancel", call, None) == failed("no-call")
    assert await begun == ACCEPTED
    await desk.result("consulting")
    desk.lab.faults.add("HangUp", "slow")
    ended = asyncio.create_task(desk.pbx.carry_out("complete", call, None))
    await until(lambda: desk.lab.acted[-1] == "HangUp")
    for op in ("complete", "cancel"):
        assert await desk.pbx.carry_out(op, call, None) == failed("busy-transferring")
    assert await ended == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer"]


async def test_a_consultation_that_a_caller_pretends_to_be_is_none(desk):
    """Whoever calls can have the bridge's own name for such calls displayed."""
    await desk.talk()
    await desk.lab.hold(USER)
    await desk.call_in_state("held")
    channel = desk.lab.exchange.place_call(COLLEAGUE, USER)
    channel.variables[GIVEN_CALLER_ID] = f"{OUR_NAME} <102>"
    await desk.call_in_state("talking")
    assert sorted(one.state for one in desk.pbx.calls(USER)) == ["held", "talking"]


async def test_a_consultation_that_lost_its_caller_is_not_bound_to_the_next_one(desk):
    await desk.consult()
    await desk.lab.hang_up(CALLER)
    await desk.result("failed", "caller-gone")
    await desk.lab.place_call(CALLER, USER)
    await until(lambda: len(desk.pbx.calls(USER)) == 2)
    (held,) = [one for one in desk.lab.exchange.parties.channels if one.endpoint == USER and one.extension == ""]
    desk.lab.exchange.hold(held, True)
    await desk.call_in_state("held")
    assert sorted(one.state for one in desk.pbx.calls(USER)) == ["held", "talking"]


async def test_a_call_that_neither_its_answer_nor_its_caller_id_names_is_the_new_one_to_that_number(desk):
    desk.lab.shapes.names_made_call = desk.lab.shapes.shows_given_caller_id = False
    call = await desk.consult()
    assert [one.state for one in desk.pbx.calls(USER)] == ["consulting"]
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.lab.acted == [*THE_WAY, "HangUp", "Transfer"]
