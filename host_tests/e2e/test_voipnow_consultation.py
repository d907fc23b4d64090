"""An attended transfer composed at VoipNow's stand-in, keyed at the real keypad of the real firmware."""

import asyncio

import pytest
from desk_lab.installation import CALLER, EXTENSION
from pbx_lab.legs import has_leg, is_gone, is_on_hold, is_talking

from e2e.conftest import Place

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize(
        "place",
        [pytest.param(Place("voipnow", settings=("voipnow.attended=composed",)), id="voipnow-composed")],
        indirect=True,
        scope="package",
    ),
]
COLLEAGUE = "102"
PATIENCE_S = 20


async def consult(desk, hand):
    waiting = desk.keypad.wait_for_event(lambda event: "Answered" in event.get("lines", ()), PATIENCE_S)
    answered = asyncio.create_task(waiting)
    await asyncio.sleep(0)  # lets the task begin to listen
    await hand.key(f"*2{COLLEAGUE}")
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and is_talking(legs, EXTENSION, COLLEAGUE))
    await desk.keypad.wait_for_signal("consulting")
    await answered  # else the hand takes it for what the next key does


async def test_star_two_and_the_complete_key_connect_the_two_after_a_second_ring(desk, hand):
    await consult(desk, hand)
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    await hand.key("A")
    await desk.lab.wait_until(lambda legs: has_leg(legs, COLLEAGUE, "ringing") and is_gone(legs, EXTENSION))
    await desk.keypad.wait_for_signal("done")
    await desk.lab.answer(COLLEAGUE)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE))


async def test_the_cancel_key_brings_the_caller_back(desk, hand):
    await consult(desk, hand)
    await hand.key("C")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, EXTENSION) and is_gone(legs, COLLEAGUE))
    await desk.keypad.wait_for_signal("returned")


async def test_a_colleague_who_hangs_up_brings_the_caller_back(desk, hand):
    await consult(desk, hand)
    await desk.lab.hang_up(COLLEAGUE)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, EXTENSION))
    await desk.keypad.wait_for_signal("returned")
