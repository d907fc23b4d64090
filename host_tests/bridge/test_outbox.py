"""Work that waits: what goes first, in which order, and that nothing waits for ever."""

import asyncio

from phoneterm_bridge.terminals.outbox import MOST_WAIT_S, Outbox


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


async def turn():
    """Let the event loop turn once."""
    await asyncio.sleep(0)


def make_afterwards(urgent):
    clock, done = Clock(), []
    outbox = Outbox(clock)
    outbox.urgent = urgent
    return outbox, clock, done


async def test_while_nothing_is_urgent_work_is_done_at_once():
    outbox, _, done = make_afterwards(urgent=0)
    outbox.do(done.append, "told")
    assert done == ["told"]


async def test_while_something_is_urgent_one_piece_is_done_a_turn():
    outbox, _, done = make_afterwards(urgent=1)
    for number in range(3):
        outbox.do(done.append, number)
    seen = [list(done)]
    for _ in range(3):
        await turn()
        seen.append(list(done))
    assert seen == [[], [0], [0, 1], [0, 1, 2]]


async def test_once_nothing_is_urgent_any_more_what_waits_still_comes_one_by_one():
    outbox, _, done = make_afterwards(urgent=1)
    for number in range(3):
        outbox.do(done.append, number)
    outbox.urgent = 0
    outbox.do(done.append, 3)
    seen = []
    for _ in range(4):
        await turn()
        seen.append(list(done))
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    outbox.do(done.append, "at once")
    assert done[4:] == ["at once"]


async def test_what_has_waited_too_long_goes_first_however_much_is_urgent():
    outbox, clock, done = make_afterwards(urgent=1000)
    for number in range(3):
        outbox.do(done.append, number)
    clock.now_s = MOST_WAIT_S
    outbox.do(done.append, "later")
    await turn()
    assert done == [0, 1, 2]
    await turn()
    assert done == [0, 1, 2, "later"]


async def test_nothing_overtakes_what_waits():
    outbox, _, done = make_afterwards(urgent=1)
    outbox.in_order(done.append, "first")
    outbox.do(done.append, "second")
    outbox.in_order(done.append, "third")
    outbox.urgent = 0
    outbox.do(done.append, "fourth")
    assert done == ["first"]
    outbox.flush()
    assert done == ["first", "second", "third", "fourth"]


async def test_a_part_of_what_waited_is_done_with_it():
    outbox, _, done = make_afterwards(urgent=1)
    outbox.do(lambda: outbox.in_order(done.append, "part"))
    outbox.do(done.append, "next")
    outbox.flush()
    assert done == ["part", "next"]


async def test_a_mistake_in_one_piece_keeps_nothing_back():
    outbox, _, done = make_afterwards(urgent=1)
    outbox.do(done.index, "not there")
    outbox.do(done.append, "next")
    outbox.flush()
    await turn()
    assert done == ["next"]
