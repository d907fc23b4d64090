"""The acceptance story, from a key at the pins of an emulated ESP32 to the caller's ear."""

import asyncio

import pytest
from desk_lab.installation import CALLER, EXTENSION
from e2e.test_acceptance_story import (  # noqa: F401 - the same tests as on the virtual phone
    COLLEAGUE,
    count_commands,
    test_a_hand_made_command_without_the_permission_is_refused_by_the_bridge,
    test_a_permission_granted_while_the_terminal_runs_works_at_the_next_key,
    test_hash_one_and_a_number_sends_the_caller_there,
    test_star_two_holds_the_caller_and_hanging_up_connects_caller_and_colleague,
    test_without_the_permission_the_terminal_itself_refuses_and_the_caller_notices_nothing,
)
from pbx_lab.legs import is_gone, is_on_hold, is_talking

from chip.conftest import BACK_S, is_line, start_anew

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]
PAUSE_S = 1  # within 0.7 s of a finished sequence the terminal takes further keys as the rest of that sequence


async def consult(desk, hand):
    """Put 103 on hold and let 101 talk to 102."""
    await hand.key("*2102")
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and is_talking(legs, EXTENSION, COLLEAGUE))
    await desk.keypad.wait_for_signal("consulting", BACK_S)
    await asyncio.sleep(PAUSE_S)


async def back_with(desk, line, act):
    """Act, and return when the terminal has been told the state of its call again."""
    told = asyncio.create_task(desk.keypad.wait_for_event(is_line(line), BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await act()
    await told
    await asyncio.sleep(PAUSE_S)


@pytest.mark.parametrize(("key", "partner"), [("A", COLLEAGUE), ("C", EXTENSION)], ids=["complete", "cancel"])
async def test_a_consultation_is_ended_by_a_key(desk, hand, key, partner):
    await consult(desk, hand)
    await hand.key(key)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, partner))


async def test_a_sequence_is_cancelled_and_the_caller_notices_nothing(desk, hand):
    before, journalled = await desk.lab.legs(), count_commands(desk)
    await hand.key("#1", ("open",))
    await hand.key("C", ("ready",))
    assert await desk.lab.legs() == before
    assert count_commands(desk) == journalled


async def test_what_is_keyed_without_the_bridge_does_not_happen_when_it_is_back(desk, hand):
    before, journalled = await desk.lab.legs(), count_commands(desk)
    await desk.stop_bridge()
    await desk.keypad.type("#1102")
    await desk.keypad.wait_for_signal("no-link", BACK_S)
    await back_with(desk, "call talking", desk.restart_bridge)
    await desk.keypad.wait_for_signal("ready", BACK_S)
    assert await desk.lab.legs() == before
    assert count_commands(desk) == journalled
    await hand.key("#1102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))


async def test_a_consultation_outlives_the_connection_to_the_broker(desk, hand):
    async def cut():
        desk.proxy.cut()

    await consult(desk, hand)
    await back_with(desk, "call consulting", cut)
    await desk.keypad.wait_for_signal("consulting", BACK_S)
    await hand.key("C")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, EXTENSION))


async def test_the_terminal_comes_back_when_the_network_has_lost_everything_for_a_while(desk, hand):
    lost = asyncio.create_task(
        desk.keypad.wait_for_event(lambda event: str(event.get("line", "")).startswith("link-lost"), BACK_S)
    )
    await asyncio.sleep(0)  # lets the task begin to listen
    await desk.keypad.wifi(False)
    await lost

    async def switch_on():
        await desk.keypad.wifi(True)

    await back_with(desk, "call talking", switch_on)
    await hand.key("#1102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))


async def test_a_terminal_that_restarts_in_mid_transfer_shows_where_things_stand(desk, hand):
    await consult(desk, hand)

    async def restart():
        await desk.keypad.reset()

    await back_with(desk, "call consulting", restart)
    await desk.keypad.wait_for_signal("consulting", BACK_S)
    await desk.lab.hang_up(EXTENSION)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))


async def test_the_cancel_key_held_at_power_on_leads_to_safe_mode_and_the_reset_button_out_of_it(whole):
    keypad = whole.keypad
    connected = asyncio.create_task(keypad.wait_for_event(is_line("safe mode: connected"), BACK_S))
    await keypad.power(False)
    await keypad.hold("C")
    await keypad.power(True)
    await connected
    assert "safe mode: cancel key held" in await keypad.log()
    assert (await keypad.state())["signal"] == "safe-mode"
    await keypad.release("C")
    await start_anew(whole)
