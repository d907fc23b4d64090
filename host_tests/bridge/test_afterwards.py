"""Work that waits: what goes first, in which order, and that nothing waits for ever."""

import asyncio

from phoneterm_bridge.afterwards import MOST_WAIT_S, Afterwards


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
    afterwards = Afterwards(clock)
    afterwards.urgent = urgent
    return afterwards, clock, done


async def test_while_nothing_is_urgent_work_is_done_at_once():
    afterwards, _, done = make_afterwards(urgent=0)
    afterwards.do(done.append, "told")
    assert done == ["told"]


async def test_while_something_is_urgent_one_piece_is_done_a_turn():
    afterwards, _, done = make_afterwards(urgent=1)
    for number in range(3):
        afterwards.do(done.append, number)
    seen = [list(done)]
    for _ in range(3):
        await turn()
        seen.append(list(done))
    assert seen == [[], [0], [0, 1], [0, 1, 2]]


async def test_once_nothing_is_urgent_any_more_what_waits_still_comes_one_by_one():
    afterwards, _, done = make_afterwards(urgent=1)
    for number in range(3):
        afterwards.do(done.append, number)
    afterwards.urgent = 0
    afterwards.do(done.append, 3)
    seen = []
    for _ in range(4):
        await turn()
        seen.append(list(done))
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    afterwards.do(done.append, "at once")
    assert done[4:] == ["at once"]


async def test_what_has_waited_too_long_goes_first_however_much_is_urgent():
    afterwards, clock, done = make_afterwards(urgent=1000)
    for number in range(3):
        afterwards.do(done.append, number)
    clock.now_s = MOST_WAIT_S
    afterwards.do(done.append, "later")
    await turn()
    assert done == [0, 1, 2]
    await turn()
    assert done == [0, 1, 2, "later"]


async def test_nothing_overtakes_what_waits():
    afterwards, _, done = make_afterwards(urgent=1)
    afterwards.in_order(done.append, "first")
    afterwards.do(done.append, "second")
    afterwards.in_order(done.append, "third")
    afterwards.urgent = 0
    afterwards.do(done.append, "fourth")
    assert done == ["first"]
    afterwards.flush()
    assert done == ["first", "second", "third", "fourth"]


async def test_a_part_of_what_waited_is_done_with_it():
    afterwards, _, done = make_afterwards(urgent=1)
    afterwards.do(lambda: afterwards.in_order(done.append, "part"))
    afterwards.do(done.append, "next")
    afterwards.flush()
    assert done == ["part", "next"]


async def test_a_mistake_in_one_piece_keeps_nothing_back():
    afterwards, _, done = make_afterwards(urgent=1)
    afterwards.do(done.index, "not there")
    afterwards.do(done.append, "next")
    afterwards.flush()
    await turn()
    assert done == ["next"]
