"""No digit ever reaches the other party: whatever a transfer plays, the PBX sends no tone to any phone.

The evidence is the PBX's own report of tones sent to a phone (its DTMF events). test_lab_phones shows that such a tone
is noticed, and the last test here shows that a played digit would be.
"""

import dataclasses

import pytest
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, USER, to
from pbx_lab.legs import are_alone, is_on_hold
from phoneterm_bridge.pbx.asterisk.features import FIRST_VERSION_WITH_TRANSFER_EXTEN, ask_features
from phoneterm_bridge.pbx.port import Outcome
from structlog.testing import capture_logs

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIGURATIONS = [
    {"codes": "letters"},
    {"codes": "letters", "min_dtmf_ms": 80},
    {"codes": "stock"},
    {"codes": "stock", "min_dtmf_ms": 80},
]
WAYS = ["number in a variable", "every digit played"]


def _name(options):
    return "-".join(str(value) for value in options.values())


async def find_features_of_an_older_one(client):
    """Find out what the PBX can do, but pretend that it is too old for a number in a variable."""
    found = await ask_features(client)
    return dataclasses.replace(found, version=FIRST_VERSION_WITH_TRANSFER_EXTEN - 1)


@pytest.fixture(params=WAYS)
def find_features(request):
    """The way a transfer starts: the one of this Asterisk, or of one that is too old for the variable."""
    return find_features_of_an_older_one if request.param == WAYS[1] else ask_features


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=_name)
async def test_nobody_hears_a_tone_of_a_transfer_and_of_what_ends_it(open_desk, options, find_features):
    desk = await open_desk(find_features, **options)
    call = await desk.consult()
    assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, COLLEAGUE))
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.wait_until(lambda: desk.states().count(("consulting", None)) == 2)
    assert await desk.pbx.carry_out("complete", call, None) == ACCEPTED
    await desk.result("done")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    assert desk.lab.tones() == []


@pytest.mark.parametrize("behaviour", ["busy", "reject", "unavailable"])
async def test_nobody_hears_a_tone_when_the_colleague_is_not_reached(desk, behaviour):
    await desk.lab.set_behaviour(COLLEAGUE, behaviour)
    call = await desk.talk()
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert desk.lab.tones() == []


async def test_nobody_hears_a_tone_when_the_colleague_hangs_up_as_the_user_cancels(desk):
    call = await desk.consult()
    await desk.lab.hang_up(COLLEAGUE)
    await desk.result("returned")
    assert await desk.pbx.carry_out("cancel", call, None) == Outcome("failed", "no-call")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert desk.lab.tones() == []


@pytest.mark.parametrize("codes", ["letters", "stock", "none"])
async def test_where_the_pbx_does_not_permit_a_transfer_nothing_is_played_at_all(open_desk, codes):
    desk = await open_desk(codes=codes, allows_transfer=False)
    call = await desk.talk()
    reason = "pbx-misconfigured" if codes == "none" else "not-permitted-by-pbx"
    with capture_logs() as logs:
        assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == Outcome("failed", reason)
    warnings = [(line["event"], line["reason"]) for line in logs if line["log_level"] == "warning"]
    assert warnings == [("no-transfer-began", reason)]
    await desk.press(USER, "7")
    await desk.lab.wait_until(lambda _: desk.lab.tones() != [])
    assert desk.lab.tones() == [(CALLER, "7")]


async def test_a_colleague_who_got_a_call_may_transfer_it_on(desk):
    """The PBX is asked whether a channel may transfer; it says yes also for one that a transfer has called."""
    await desk.consult()
    await desk.lab.hang_up(USER)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    call = await desk.call_in_state("talking", COLLEAGUE)
    assert await desk.pbx.carry_out("attended", call, to(USER)) == ACCEPTED
    await desk.wait_until(lambda: (call.ref, "consulting", None) in desk.progress)
    await desk.lab.hang_up(COLLEAGUE)
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert desk.lab.tones() == []


async def test_a_user_who_was_sent_a_call_blindly_may_transfer_it_on(desk):
    call = await desk.talk()
    assert await desk.pbx.carry_out("blind", call, to(COLLEAGUE)) == ACCEPTED
    call = await desk.call_in_state("talking", COLLEAGUE)
    assert await desk.pbx.carry_out("attended", call, to(USER)) == ACCEPTED
    await desk.wait_until(lambda: (call.ref, "consulting", None) in desk.progress)
    assert desk.lab.tones() == []


async def test_a_user_who_is_rung_back_may_transfer_again(open_desk):
    desk = await open_desk(ring_s=1, callback_delay_s=1)
    await desk.ring()
    await desk.lab.hang_up(USER)
    await desk.result("returned", "no-answer")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    await desk.lab.set_behaviour(COLLEAGUE, "answer")
    call = await desk.call_in_state("talking")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.wait_until(lambda: (call.ref, "consulting", None) in desk.progress)
    assert desk.lab.tones() == []
