"""Feature codes that change while the bridge is connected: a call, and a consultation, has the codes of its start.

A wrong code would be heard as a tone, or would do something else to the caller.
"""

import asyncio
import contextlib

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import ACCEPTED, CALLER, COLLEAGUE, CONTEXT, USER, Desk, make_lab, to
from pbx.proxy import AmiProxy
from pbx_lab.legs import are_alone, is_on_hold
from phoneterm_bridge.pbx.asterisk.speed import EVERY_DIGIT, LONGER_CODE, ONE_LETTER, speed_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERMUTED = {"atxfer": "C", "atxferabort": "B", "atxfercomplete": "A", "atxferswap": "D"}
LONGER = {"atxfer": "*7", "atxferabort": "*6", "atxfercomplete": "*8", "atxferswap": "*9"}


@pytest.fixture(params=[PERMUTED, LONGER], ids=["permuted", "longer"])
def changed(request):
    """Feature codes unlike those that the bridge found at its start."""
    return request.param


async def cancel(desk, call):
    """Cancel the consultation: the caller is back, and nobody has heard a tone."""
    assert await desk.pbx.carry_out("cancel", call, None) == ACCEPTED
    await desk.result("returned", "cancelled")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
    assert desk.lab.tones() == []


async def swap(desk, call):
    """Let the colleague wait, and then the caller again."""
    for waiting in (COLLEAGUE, CALLER):
        assert await desk.pbx.carry_out("swap", call, None) == ACCEPTED
        await desk.lab.wait_until(lambda legs, waiting=waiting: is_on_hold(legs, waiting))


async def test_the_next_call_has_the_codes_that_were_reloaded(open_desk, changed):
    desk = await open_desk()
    await desk.lab.change_codes(changed)
    call = await desk.consult()
    await swap(desk, call)
    await cancel(desk, call)


async def test_a_consultation_keeps_the_codes_it_began_with(open_desk, changed):
    desk = await open_desk()
    call = await desk.consult()
    await desk.lab.change_codes(changed)
    await swap(desk, call)
    await cancel(desk, call)


async def test_a_consultation_keeps_its_codes_while_the_connection_to_the_pbx_is_lost(open_desk, changed):
    desk = await open_desk()
    async with AmiProxy(desk.lab.ami) as proxy, Desk(desk.lab, proxy.ami) as other:
        call = await other.consult()
        await desk.lab.change_codes(changed)
        proxy.cut()
        await other.wait_until(lambda: other.availability[-2:] == [False, True])
        await other.call_in_state("consulting")
        await cancel(other, call)


async def test_a_call_keeps_the_code_that_starts_a_transfer(open_desk, changed):
    """Asterisk sets up the code when the channel comes into its bridge, and those of the transfer when it begins."""
    desk = await open_desk()
    async with AmiProxy(desk.lab.ami) as proxy, Desk(desk.lab, proxy.ami) as other:
        call = await other.talk()
        asked = proxy.actions.count("Getvar")
        await until(lambda: proxy.actions.count("Getvar") >= asked + 2)
        await other.pbx.is_known_number(CONTEXT, COLLEAGUE)  # its answer comes after those
        await desk.lab.change_codes(changed)
        assert await other.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
        await other.result("consulting")
        await cancel(other, call)


async def set_feature(desk, name, value):
    """Give the user's channel a feature of its own, as Set(FEATURE(name)=value) does in the dialplan."""
    (channel,) = (leg.channel for leg in await desk.lab.legs() if leg.endpoint == USER)
    headers = [("Channel", channel), ("Variable", f"FEATURE({name})"), ("Value", value)]
    assert (await desk.ask("Setvar", headers)).get("Response") == "Success"


async def test_a_code_of_the_channel_alone_counts_for_it(open_desk):
    desk = await open_desk()
    call = await desk.talk()
    await set_feature(desk, "atxferabort", "*9")
    await set_feature(desk, "atxferswap", "A")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("consulting")
    await swap(desk, call)
    await cancel(desk, call)


async def test_a_time_limit_of_the_channel_alone_counts_for_it(open_desk):
    desk = await open_desk()
    await desk.lab.set_behaviour(COLLEAGUE, "ring")
    call = await desk.talk()
    await set_feature(desk, "atxfernoanswertimeout", "1")
    assert await desk.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
    await desk.result("returned", "no-answer")


async def test_playing_is_found_as_soon_as_the_pbx_has_it(open_desk):
    """A bridge may connect while Asterisk has not loaded all of its modules."""
    desk = await open_desk()
    await desk.lab.set_playing(False)
    async with Desk(desk.lab) as other:
        assert speed_of(other.pbx.features).way == EVERY_DIGIT
        await desk.lab.set_playing(True)
        call = await other.consult()
        assert speed_of(other.pbx.features).way == ONE_LETTER
        assert await other.pbx.carry_out("cancel", call, None) == ACCEPTED
        await other.result("returned", "cancelled")


async def test_a_bridge_that_connects_while_the_pbx_is_starting_looks_again(kind, need_part):
    lab = make_lab(kind, need_part, starts_slowly=True)
    starting = asyncio.create_task(lab.start())
    try:
        await listening(lab)
        async with Desk(lab) as desk:
            await starting
            await until(lambda: speed_of(desk.pbx.features).way == ONE_LETTER, 20)
    finally:
        await asyncio.wait([starting])
        await lab.stop()


async def listening(lab):
    """Wait until the PBX takes connections, which it does before it has started."""
    for _ in range(2000):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(lab.ami.host, lab.ami.port)
            writer.close()
            return
        await asyncio.sleep(0.01)


async def test_without_playing_the_caller_is_still_brought_back(open_desk):
    desk = await open_desk()
    call = await desk.consult()
    await desk.lab.set_playing(False)
    await cancel(desk, call)


async def test_a_login_that_hears_of_a_reload_says_at_once_how_transfers_start_now(open_desk):
    desk = await open_desk(ami_read="call,system")
    await desk.lab.change_codes(LONGER)
    await until(lambda: speed_of(desk.pbx.features).way == LONGER_CODE)
