"""Waiting messages: what goes first, in which order, and that nothing waits for ever."""

import asyncio

from bridge.clock import Clock
from phoneterm_bridge.terminals.outbox import MOST_AT_ONCE, MOST_WAIT_S, Outbox


async def turn():
    """Let the event loop turn once."""
    await asyncio.sleep(0)


def make_outbox(*deciding):
    clock, done, deciding = Clock(0.0), [], set(deciding)
    return Outbox(deciding, clock), clock, done, deciding


async def test_while_no_command_is_decided_work_is_done_at_once():
    outbox, _, done, _ = make_outbox()
    outbox.send(done.append, "told")
    assert done == ["told"]


async def test_while_a_command_is_decided_one_piece_is_done_a_turn():
    outbox, _, done, _deciding = make_outbox("a command")
    for number in range(3):
        outbox.send(done.append, number)
    seen = [list(done)]
    for _ in range(3):
        await turn()
        seen.append(list(done))
    assert seen == [[], [0], [0, 1], [0, 1, 2]]


async def test_once_no_command_is_decided_any_more_what_waits_still_comes_one_by_one():
    outbox, _, done, deciding = make_outbox("a command")
    for number in range(3):
        outbox.send(done.append, number)
    deciding.clear()
    outbox.send(done.append, 3)
    seen = []
    for _ in range(4):
        await turn()
        seen.append(list(done))
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    outbox.send(done.append, "at once")
    assert done[4:] == ["at once"]


async def test_what_has_waited_too_long_goes_first_however_much_is_decided():
    outbox, clock, done, _ = make_outbox(*range(1000))
    for number in range(3):
        outbox.send(done.append, number)
    clock.now_s = MOST_WAIT_S
    outbox.send(done.append, "later")
    await turn()
    assert done == [0, 1, 2]
    await turn()
    assert done == [0, 1, 2, "later"]


async def test_however_much_has_waited_too_long_a_turn_sends_a_few():
    outbox, clock, done, _ = make_outbox("a command")
    for number in range(2 * MOST_AT_ONCE + 1):
        outbox.send(done.append, number)
    clock.now_s = MOST_WAIT_S
    seen = []
    for _ in range(3):
        await turn()
        seen.append(len(done))
    assert seen == [MOST_AT_ONCE, 2 * MOST_AT_ONCE, 2 * MOST_AT_ONCE + 1]
    assert done == list(range(2 * MOST_AT_ONCE + 1))


async def test_nothing_overtakes_what_waits():
    outbox, _, done, deciding = make_outbox("a command")
    outbox.send(done.append, "first")
    outbox.send(done.append, "second")
    outbox.send(done.append, "third")
    deciding.clear()
    outbox.send(done.append, "fourth")
    assert done == []
    outbox.flush()
    assert done == ["first", "second", "third", "fourth"]


async def test_a_part_of_what_waited_is_done_with_it():
    outbox, _, done, _deciding = make_outbox("a command")
    outbox.send(lambda: outbox.send(done.append, "part"))
    outbox.send(done.append, "next")
    outbox.flush()
    assert done == ["part", "next"]


async def test_a_mistake_in_one_piece_keeps_nothing_back():
    outbox, _, done, _deciding = make_outbox("a command")
    outbox.send(done.index, "not there")
    outbox.send(done.append, "next")
    outbox.flush()
    await turn()
    assert done == ["next"]
