"""The abilities of the labs' phones and PBXs: hold, audible tones, a queue, voicemail, a crash."""

import pytest
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx_lab.inspector import Inspector
from pbx_lab.legs import are_alone, has_leg, is_on_hold

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_user_holds_her_call_and_takes_it_back(lab):
    await lab.place_call(CALLER, USER)
    await lab.hold(USER)
    await lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and not is_on_hold(legs, USER))
    await lab.unhold(USER)
    await lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    await lab.hang_up(USER)
    await lab.wait_until(lambda legs: not legs)


async def test_a_caller_holds_her_call_too(lab):
    await lab.place_call(USER, CALLER)
    await lab.hold(USER)
    await lab.wait_until(lambda legs: is_on_hold(legs, CALLER))
    await lab.hang_up(USER)
    await lab.wait_until(lambda legs: not legs)


async def test_a_tone_that_is_no_code_is_heard_by_the_other_party(lab):
    await lab.place_call(CALLER, USER)
    await _play(lab, USER, "7")
    await lab.wait_until(lambda _: lab.tones() == [(CALLER, "7")])
    await lab.clear()
    assert lab.tones() == []


async def test_all_phones_of_a_queue_ring_and_one_answers(lab):
    await lab.set_behaviour(COLLEAGUE, "ring")
    await lab.place_call(USER, "151")
    await lab.wait_until(lambda legs: are_alone(legs, USER, CALLER))


async def test_voicemail_takes_the_call_of_somebody_who_is_busy(lab):
    await lab.set_behaviour(COLLEAGUE, "busy")
    await lab.place_call(USER, "191")
    await lab.wait_until(lambda legs: len(legs) == 1 and has_leg(legs, USER, "up"))


async def _play(lab, endpoint, digit):
    """Press a digit at a phone during a call."""
    looking = Inspector(lab.ami)
    await looking.start()
    channel = next(leg.channel for leg in await lab.legs() if leg.endpoint == endpoint)
    headers = [("Channel", channel), ("Digit", digit), ("Receive", "true"), ("Duration", "1")]
    assert (await looking.client.ask("PlayDTMF", headers)).get("Response") == "Success"
    await looking.stop()
