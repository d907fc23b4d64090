"""The acceptance story, with nothing faked between the key and the caller's ear."""

import asyncio
import sqlite3
import time

import pytest
from desk_lab.installation import CALLER, EXTENSION
from pbx_lab.legs import is_gone, is_on_hold, is_talking

from e2e.conftest import PLACES, WITH_DISPLAYS
from e2e.hand import AGAIN
from e2e.permission import change_permission

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize("place", PLACES + WITH_DISPLAYS, indirect=True, scope="package"),
]
COLLEAGUE = "102"


@pytest.fixture(autouse=True)
def no_sequence_is_tainted(whole, hand):
    """Fails the test if the terminal was too busy for its keypad, unless the computer was too busy for the terminal."""
    started_ms = time.monotonic() * 1000
    yield
    shown = [event for event in whole.keypad.history if event["event"] == "display" and event["time_ms"] > started_ms]
    assert AGAIN not in [event["lines"] for event in shown] or hand.was_kept_waiting


def count_commands(desk):
    """Return how many commands the bridge's journal holds; what the phone refused by itself has no id."""
    with sqlite3.connect(desk.settings.store.path) as store:
        return store.execute("select count(*) from commands where command_id is not null").fetchone()[0]


async def note_times(desk, figures, pbx, answer, op, words):
    """Note the time from the last key's press to each line of the newest command's timeline in the journal.

    Lines after the first are written a little later than they are reported.
    """
    keyed_ms = [key["time_ms"] for key in answer["keys"] if key["down"]][-1] + (time.time() - time.monotonic()) * 1000
    query = "select word, min(at_ms) from lines where entry = (select max(entry) from commands) group by word"
    at_ms = {}
    async with asyncio.timeout(20):
        while not words.keys() <= at_ms.keys():
            await asyncio.sleep(0.01)
            with sqlite3.connect(desk.settings.store.path) as store:
                at_ms = dict(store.execute(query).fetchall())
    for word, what in words.items():
        figures[f"{op}: last key pressed -> {what}", pbx] = at_ms[word] - keyed_ms


async def test_hash_one_and_a_number_sends_the_caller_there(desk, hand, figures, pbx_kind):
    answer = await hand.key("#1102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))
    await desk.keypad.wait_for_signal("done")
    await note_times(desk, figures, pbx_kind, answer, "blind", {"blind": "AMI action", "done": "caller sent on"})


async def test_star_two_holds_the_caller_and_hanging_up_connects_caller_and_colleague(desk, hand, figures, pbx_kind):
    answer = await hand.key("*2102")
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and is_talking(legs, EXTENSION, COLLEAGUE))
    await desk.keypad.wait_for_signal("consulting")
    await note_times(
        desk,
        figures,
        pbx_kind,
        answer,
        "attended",
        {"attended": "AMI action", "ringing": "caller on hold, colleague called"},
    )
    await desk.lab.hang_up(EXTENSION)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))
    await desk.keypad.wait_for_signal("done")


async def test_what_comes_of_a_transfer_is_on_the_display(desk, hand):
    lines = ["Answered", ""]
    answered = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("lines") == lines))
    await asyncio.sleep(0)  # lets the task begin to listen
    await hand.key("*2102")
    await answered


async def test_without_the_permission_the_terminal_itself_refuses_and_the_caller_notices_nothing(desk, hand):
    before = await desk.lab.legs()
    await change_permission(desk, False)
    journalled = count_commands(desk)
    await hand.key("#1102")
    await desk.keypad.wait_for_signal("refused-permission")
    assert await desk.lab.legs() == before
    assert count_commands(desk) == journalled


async def test_a_permission_granted_while_the_terminal_runs_works_at_the_next_key(desk, hand):
    await change_permission(desk, False)
    boots = (await desk.keypad.state())["boots"]
    await change_permission(desk, True)
    await hand.key("#1102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE))
    assert (await desk.keypad.state())["boots"] == boots


async def test_a_hand_made_command_without_the_permission_is_refused_by_the_bridge(desk, hand_made):
    before = await desk.lab.legs()
    await change_permission(desk, False)
    result = await hand_made.command(COLLEAGUE)
    assert (result["state"], result["reason"]) == ("rejected", "permission")
    assert await desk.lab.legs() == before


async def test_the_same_hand_made_command_with_the_permission_is_carried_out(desk, hand_made):
    """So the test above was refused for the permission, not because the terminal is hand-made."""
    result = await hand_made.command(COLLEAGUE)
    assert result["state"] == "accepted"
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE))


async def test_a_terminal_that_restarts_in_mid_transfer_shows_where_things_stand_and_the_pbx_finishes(desk, hand):
    await hand.key("*2102")
    await desk.lab.wait_until(lambda legs: is_on_hold(legs, CALLER) and is_talking(legs, EXTENSION, COLLEAGUE))
    await desk.keypad.wait_for_signal("consulting")
    restarted = asyncio.create_task(desk.keypad.wait_for_event(lambda event: event.get("name") == "starting"))
    await asyncio.sleep(0)  # lets the task begin to listen
    await desk.keypad.reset()
    await restarted
    await desk.keypad.wait_for_signal("consulting")
    await desk.lab.hang_up(EXTENSION)
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, COLLEAGUE) and is_gone(legs, EXTENSION))
    await desk.keypad.wait_for_signal("ready")
