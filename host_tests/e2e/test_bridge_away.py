"""The bridge goes away with its broker while the keypad is in use: immediate refusals, and the state afterwards."""

import asyncio

import pytest
from desk_lab.installation import CALLER, EXTENSION
from pbx_lab.legs import is_gone, is_on_hold, is_talking

from e2e.test_acceptance_story import COLLEAGUE, count_commands

pytestmark = pytest.mark.asyncio(loop_scope="package")
BACK_S = 30
PAUSE_S = 1  # keys within 0.7 s after a finished sequence count as the rest of it


async def test_what_is_keyed_without_the_bridge_is_refused_and_does_not_happen_when_it_is_back(desk, hand):
    before, journalled = await desk.lab.legs(), count_commands(desk)
    await desk.stop_bridge()
    await hand.key("#1102")
    await desk.keypad.wait_for_signal("no-link", 3)
    assert await desk.lab.legs() == before
    await _come_back(desk, "call talking")
    await desk.keypad.wait_for_signal("ready")
    assert await desk.lab.legs() == before
    assert count_commands(desk) == journalled
    await hand.key("#1102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))


@pytest.mark.parametrize(("key", "partner"), [("A", COLLEAGUE), ("C", EXTENSION)], ids=["complete", "cancel"])
async def test_a_consultation_outlives_the_bridge_and_is_ended_by_a_key(desk, hand, key, partner):
    await hand.key("*2102")
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and is_talking(legs, EXTENSION, COLLEAGUE))
    await desk.keypad.wait_for_signal("consulting")
    await desk.stop_bridge()
    await _come_back(desk, "call consulting")
    await desk.keypad.wait_for_signal("consulting")
    legs = await desk.lab.legs()
    assert is_on_hold(legs, CALLER)
    assert is_talking(legs, EXTENSION, COLLEAGUE)
    await hand.key(key)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, partner))


async def _come_back(desk, line):
    """Start the bridge again, and wait until it has told the terminal the state of its call."""
    told = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("line") == line, BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await desk.restart_bridge()
    await told
    await asyncio.sleep(PAUSE_S)
