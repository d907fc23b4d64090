"""A key on the virtual phone that its firmware refuses by itself, and what `why` and `terminal list` say of it."""

import asyncio

import pytest
from desk_lab.installation import EXTENSION, TID, Installation, make_lab
from phoneterm_bridge.cli.why import answer_why

from e2e.hand import Hand

_PATIENCE_S = 60


@pytest.fixture
async def house(tmp_path):
    """A whole installation with the simulator."""
    installation = Installation(make_lab("simulator"), tmp_path)
    await installation.start()
    yield installation
    await installation.stop()


async def _wait_for_answer(house, is_wanted):
    """Return the answer of `why` once it is the wanted one."""
    async with asyncio.timeout(_PATIENCE_S):
        while not is_wanted(answer := answer_why(house.bridge.parts.engine, EXTENSION, None)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return answer


def is_refused_for_good(answer):
    """Say whether the last answer is a refusal for what was keyed, not because a key may have been missed."""
    return answer["command"]["state"] == "refused" and answer["command"]["reason"] != "key-it-again"


async def test_a_wrong_code_after_a_transfer_that_worked_is_what_why_tells(house, note):
    await house.place_call()
    await house.keypad.wait_for_signal("ready")
    await Hand(house, note).key("#1102")
    await _wait_for_answer(house, lambda answer: answer["command"] and answer["command"]["state"] == "done")
    refused = asyncio.create_task(_wait_for_answer(house, is_refused_for_good))
    while not refused.done():  # keys right after a number are dropped; on a busy computer the phone may ask again
        await house.keypad.type("#7")
        await asyncio.wait([refused], timeout=2)
    answer = await refused
    assert "because the key after # or * belongs to no code." in answer["sentence"]
    assert answer["not_known"] is None
    sighting = house.bridge.parts.sightings.find(TID)
    assert (sighting.is_online, sighting.board, sighting.address) == (True, "VIRTUAL", "127.0.0.1")


async def test_what_was_refused_while_the_bridge_was_away_is_told_when_it_is_back(house):
    await house.place_call()
    await house.keypad.wait_for_signal("ready")
    await house.stop_bridge()
    await house.keypad.wait_for_signal("no-link")
    await house.keypad.type("#1")
    await house.restart_bridge()
    answer = await _wait_for_answer(house, lambda answer: answer["command"])
    assert (answer["command"]["state"], answer["command"]["reason"]) == ("refused", "no-link")
