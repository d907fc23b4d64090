"""SharedDeadline ends waits that take too long, with one timer, and never mistakes another cancellation for its own."""

import asyncio
from contextlib import suppress

import pytest
from phoneterm_bridge.command.shared_deadline import SharedDeadline

_SHORT_S, _LONG_S = 0.05, 60


class Ended(Exception):
    """An exception of the work itself."""


async def for_ever(cancelled):
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        cancelled.append(True)
        raise


async def value_after(turns, value):
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


async def fail():
    raise Ended


async def test_what_is_in_time_is_returned_or_raised():
    deadline = SharedDeadline(_LONG_S)
    assert await asyncio.gather(*(deadline.wait(value_after(turns, turns)) for turns in range(5))) == list(range(5))
    with pytest.raises(Ended):
        await deadline.wait(fail())


async def test_what_takes_too_long_is_cancelled_and_the_task_goes_on():
    deadline, cancelled = SharedDeadline(_SHORT_S), []
    with pytest.raises(TimeoutError):
        await deadline.wait(for_ever(cancelled))
    assert cancelled == [True]
    assert asyncio.current_task().cancelling() == 0
    assert await deadline.wait(value_after(3, "and again")) == "and again"
    with pytest.raises(TimeoutError):
        await deadline.wait(for_ever(cancelled))


async def test_each_has_its_own_time_whoever_has_come_and_gone_before():
    deadline, loop = SharedDeadline(0.2), asyncio.get_running_loop()

    async def take():
        begun_s = loop.time()
        with suppress(TimeoutError):
            await deadline.wait(for_ever([]))
        return loop.time() - begun_s

    waits = []
    for _ in range(4):
        waits.append(asyncio.create_task(take()))
        await deadline.wait(value_after(1, None))
        await asyncio.sleep(0.05)
    took_s = await asyncio.gather(*waits)
    assert min(took_s) >= 0.199  # the loop's clock has a resolution of a millisecond
    assert not deadline.has_timer
    assert deadline.waiting == 0


async def test_who_is_cancelled_by_somebody_else_is_cancelled():
    deadline = SharedDeadline(_LONG_S)
    task = asyncio.create_task(deadline.wait(for_ever([])))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_by_both_is_cancelled():
    deadline = SharedDeadline(0)
    task = asyncio.create_task(deadline.wait(for_ever([])))
    while not task.cancelling():  # noqa: ASYNC110 - in the very turn after the deadline
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_around_and_one_inside_keep_to_themselves():
    deadline = SharedDeadline(_LONG_S)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(_SHORT_S):
            await deadline.wait(for_ever([]))
    assert deadline.waiting == 0

    async def give_up_inside():
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHORT_S):
                await for_ever([])
        return "inside"

    assert await deadline.wait(give_up_inside()) == "inside"
