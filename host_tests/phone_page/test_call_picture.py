"""The picture of the calls: who talks to whom, who is on hold, who rings, and which call is which."""

import pytest_asyncio
from desk_lab.call_picture import CallPicture, describe
from desk_lab.installation import make_lab
from pbx_lab.lab import Leg


def up(endpoint, number, bridge="", to="", is_on_hold=False, family="f"):
    return Leg(endpoint, f"PJSIP/{endpoint}-{number:08x}", "up", bridge, is_on_hold, to, family)


def unanswered(endpoint, number, state, family="f"):
    return Leg(endpoint, f"PJSIP/{endpoint}-{number:08x}", state, "", False, "", family)


def shown(picture):
    """Return the picture as a line a call."""
    lines = []
    for call in picture.calls:
        parties = [" ".join((one.endpoint, one.state, *one.to)) for one in call.parties]
        held = f" (held by {' '.join(call.held_by)})" if call.held_by else ""
        lines.append(f"{call.name}: {', '.join(parties)}{held}")
    return lines


TALKING = [up("103", 0, "b1", "101"), up("101", 1, "b1", "103")]
CONSULTING = [
    up("103", 0, "b1", is_on_hold=True), up("101", 1, "b2", "102"), up("102", 2, "b2", "101"),
]  # fmt: skip


def test_a_call_that_rings_is_one_call_and_keeps_its_name_when_it_is_answered():
    calls = CallPicture()
    ringing = calls.look([unanswered("103", 0, "ring"), unanswered("101", 1, "ringing")])
    assert shown(ringing) == ["A: 101 rings 103, 103 is calling 101"]
    assert shown(calls.look(TALKING)) == ["A: 101 talks to 103, 103 talks to 101"]


def test_in_a_consultation_the_caller_on_hold_and_the_colleague_are_two_calls():
    calls = CallPicture()
    calls.look(TALKING)
    assert shown(calls.look(CONSULTING)) == [
        "A: 103 is on hold (held by 101)",
        "B: 101 talks to 102, 102 talks to 101",
    ]


def test_the_callers_call_keeps_its_name_when_caller_and_colleague_are_connected():
    calls = CallPicture()
    calls.look(TALKING)
    calls.look(CONSULTING)
    joined = calls.look([up("103", 0, "b2", "102"), up("102", 2, "b2", "103")])
    assert shown(joined) == ["A: 102 talks to 103, 103 talks to 102"]


def test_after_a_swap_each_call_is_still_itself():
    calls = CallPicture()
    calls.look(TALKING)
    calls.look(CONSULTING)
    swapped = [up("103", 0, "b1", "101"), up("101", 1, "b1", "103"), up("102", 2, "b2", is_on_hold=True)]
    assert shown(calls.look(swapped)) == [
        "A: 101 talks to 103, 103 talks to 101",
        "B: 102 is on hold (held by 101)",
    ]


def test_the_next_call_has_another_name_even_between_the_same_two():
    calls = CallPicture()
    calls.look(TALKING)
    calls.look([])
    again = calls.look([up("103", 7, "b7", "101", family="g"), up("101", 8, "b7", "103", family="g")])
    assert [call.name for call in again.calls] == ["B"]


def test_a_second_caller_is_told_apart_from_the_first():
    calls = CallPicture()
    second = [unanswered("102", 4, "ring", "g"), unanswered("101", 5, "ringing", "g")]
    assert shown(calls.look([*TALKING, *second])) == [
        "A: 101 talks to 103, 103 talks to 101",
        "B: 101 rings 102, 102 is calling 101",
    ]


def test_a_colleague_who_rings_while_the_caller_waits_with_music_rings_for_the_caller():
    calls = CallPicture()
    calls.look(TALKING)
    left = calls.look([up("103", 0, "b1", is_on_hold=True), unanswered("102", 2, "ringing")])
    assert shown(left) == ["A: 102 rings 103, 103 is on hold 102"]


def test_three_in_one_bridge_are_one_call():
    legs = [up("101", 1, "b1", "102,103"), up("102", 2, "b1", "101,103"), up("103", 3, "b1", "101,102")]
    assert len(CallPicture().look(legs).calls) == 1


def test_legs_behind_a_local_channel_are_one_call_although_their_bridges_differ():
    legs = [up("103", 0, "b1", "102"), up("102", 2, "b2", "103")]
    assert shown(CallPicture().look(legs)) == ["A: 102 talks to 103, 103 talks to 102"]


def test_one_line_says_it_all():
    assert describe(CallPicture().look([])) == "none"
    assert describe(CallPicture().look(CONSULTING)) == "101 talks to 102; 102 talks to 101; 103 is on hold"
    ringing = CallPicture().look([unanswered("103", 0, "ring"), unanswered("101", 1, "ringing")])
    assert describe(ringing) == "101 rings; 103 is calling"


@pytest_asyncio.fixture(params=["simulator", "asterisk"], loop_scope="session")
async def lab(request, need_part):
    if request.param == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    lab = make_lab(request.param)
    await lab.start()
    yield lab
    await lab.stop()


async def test_a_pbx_says_which_legs_belong_together(lab):
    await lab.set_behaviour("101", "ring")
    await lab.place_call("103", "101")
    calls = CallPicture()
    assert shown(calls.look(await lab.legs())) == ["A: 101 rings 103, 103 is calling 101"]
    await lab.answer("101")
    await lab.wait_until(lambda legs: len(legs) == 2 and all(leg.connected_to for leg in legs))
    assert shown(calls.look(await lab.legs())) == ["A: 101 talks to 103, 103 talks to 101"]
    await lab.hold("101")
    held = calls.look(await lab.legs())
    assert shown(held) == ["A: 101 talks to 103, 103 is on hold 101"]
