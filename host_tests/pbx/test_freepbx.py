"""Transfers on a dialplan of FreePBX's shapes: every operation, in every shape of call, with both sets of codes."""

import pytest
import pytest_asyncio
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, Desk, make_lab
from pbx_lab.legs import are_alone, has_leg, is_on_hold
from phoneterm_bridge.pbx.port import Target

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTEXT = "from-internal-xfer"
# Each shape: who dials what, and whom the user then talks to.
_SHAPES = {
    "extension": (CALLER, USER, CALLER),
    "call made by the user": (USER, CALLER, CALLER),
    "outbound route": (USER, "0301234", "trunk"),
    "inbound route": ("trunk", "4930101", "trunk"),
    "queue": (CALLER, "400", CALLER),
    "IVR": ("trunk", "4930700", "trunk"),
    "follow-me": (CALLER, "110", CALLER),
    "forward": (CALLER, "111", CALLER),
    "ring group": (CALLER, "600", CALLER),
}
_WITH_LOCAL = ("queue", "forward")  # their Local channel stays; that of follow-me is optimised away
_OF_SIMULATOR = ("extension", "call made by the user", "outbound route", "ring group", "queue")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def find_lab(need_part):
    """Return a function that returns a PBX with a FreePBX dialplan, started once for each kind and set of codes."""
    labs = {}

    async def find(kind, codes):
        if (kind, codes) not in labs:
            lab = make_lab(kind, need_part, dialplan="freepbx", codes=codes)
            await lab.start()
            labs[kind, codes] = lab
        await labs[kind, codes].clear()  # of what a test that failed has left
        return labs[kind, codes]

    yield find
    for lab in labs.values():
        await lab.stop()


@pytest_asyncio.fixture(
    loop_scope="session",
    params=[
        (kind, codes, shape)
        for kind, shapes in (("simulator", _OF_SIMULATOR), ("asterisk", _SHAPES))
        for codes in ("letters", "freepbx")
        for shape in shapes
    ],
    ids="-".join,
)
async def talking(request, find_lab):
    """A desk, the user's call in one of the shapes, and its caller."""
    kind, codes, shape = request.param
    lab = await find_lab(kind, codes)
    dials, number, caller = _SHAPES[shape]
    async with Desk(lab) as desk:
        await lab.place_call(dials, number)
        await lab.wait_until(
            lambda legs: are_alone(legs, caller, USER) and (shape in _WITH_LOCAL or legs[0].bridge == legs[1].bridge)
        )
        call = await desk.call_in_state("talking")
        if shape not in _WITH_LOCAL:  # while the Local channel goes, the backend knows nobody beside the user: no call
            await desk.wait_until(lambda: any(caller in one.lines for one in desk.pbx.calls(USER)))
        yield desk, call, caller
        assert lab.tones() == []
    await lab.clear()


async def test_every_operation_works(talking):
    desk, call, caller = talking
    to_colleague = Target(CONTEXT, COLLEAGUE)
    assert await desk.pbx.carry_out("attended", call, to_colleague) == ACCEPTED
    await desk.result("consulting")
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, caller))
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE) and not is_on_hold(legs, caller))
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, caller, USER))
    assert await desk.pbx.carry_out("attended", call, to_colleague) == ACCEPTED
    await desk.wait_until(lambda: desk.states().count(("consulting", None)) >= 2)
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, caller, COLLEAGUE))


async def test_a_caller_is_sent_on_blindly(talking):
    desk, call, caller = talking
    assert await desk.pbx.carry_out("blind", call, Target(CONTEXT, COLLEAGUE)) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, caller, COLLEAGUE))


@pytest.mark.parametrize("is_swapped", [False, True], ids=["with the colleague", "with the caller"])
async def test_a_bridge_that_starts_in_mid_consultation_knows_who_is_who(talking, is_swapped):
    desk, call, caller = talking
    assert await desk.pbx.carry_out("attended", call, Target(CONTEXT, COLLEAGUE)) == ACCEPTED
    await desk.result("consulting")
    if is_swapped:
        assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.pbx.stop()
    async with Desk(desk.lab) as later:
        assert (await later.call_in_state("consulting")).ref == call.ref
        assert [one.state for one in later.pbx.calls(caller)] != ["consulting"]
        assert await later.pbx.carry_out("cancel", call, None) == ACCEPTED
        await later.result("returned", "cancelled")
        await desk.lab.wait_until(lambda legs: are_alone(legs, caller, USER))


async def test_a_user_of_a_queue_who_hung_up_while_it_rings_in_vain_is_rung_in_time(open_desk):
    desk = await open_desk(dialplan="freepbx", no_answer_s=2, callback_delay_s=60)
    for _ in range(4):  # left to itself Asterisk tries the colleague a second time in about two of five calls
        await desk.lab.set_behaviour(COLLEAGUE, "ring")
        await desk.lab.place_call(CALLER, "400")
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        call = await desk.call_in_state("talking")
        assert await desk.pbx.carry_out("attended", call, Target(CONTEXT, COLLEAGUE)) == ACCEPTED
        await desk.result("ringing")
        await desk.lab.wait_until(lambda legs: has_leg(legs, COLLEAGUE, "ringing"))
        await desk.lab.hang_up(USER)
        await desk.wait_until(lambda ref=call.ref: (ref, "returned", "no-answer") in desk.progress)
        await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        await desk.lab.clear()


@pytest.mark.parametrize("number", ["110", "111"], ids=["follow-me", "forward"])
@pytest.mark.parametrize(("behaviour", "reason"), [("unavailable", "unavailable"), ("busy", "busy")])
@pytest.mark.parametrize("op", ["attended", "blind"])
async def test_a_phone_that_is_off_behind_others_is_told_as_what_it_is(find_lab, op, number, behaviour, reason):
    lab = await find_lab("asterisk", "letters")
    await lab.set_behaviour(USER, behaviour)
    async with Desk(lab) as desk:
        await lab.place_call(CALLER, COLLEAGUE)
        call = await desk.call_in_state("talking", COLLEAGUE)
        assert await desk.pbx.carry_out(op, call, Target(CONTEXT, number)) == ACCEPTED
        if op == "attended":
            await desk.result("returned", reason)
            await lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
        else:
            await desk.wait_until(lambda: [told[1:] for told in desk.arrivals] == [("not-answered", reason)])
    await lab.clear()


async def test_a_phone_that_is_off_and_do_not_disturb_are_told_as_what_they_are(find_lab):
    lab = await find_lab("asterisk", "letters")
    for reason in ("unavailable", "busy"):
        if reason == "unavailable":
            await lab.set_behaviour(COLLEAGUE, "unavailable")
        else:
            await lab.write_database("DND", COLLEAGUE, "YES")
        async with Desk(lab) as desk:
            call = await desk.talk()
            assert await desk.pbx.carry_out("attended", call, Target(CONTEXT, COLLEAGUE)) == ACCEPTED
            await desk.result("returned", reason)
            await lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        await lab.clear()
    await lab.write_database("DND", COLLEAGUE, "NO")
