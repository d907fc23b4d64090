"""Presses keys again where this computer kept a virtual phone from hearing them, by the kernel's word alone."""

import asyncio

from lab_parts.kept_waiting import LEAST_WAIT_MS, kept_waiting_ms
from virtual_phone.client import PhoneError

MOST_TRIES = 8  # each counts only where the kernel says that the phone was kept waiting
HEARD_S = 10
_TAKEN_S = 2  # after what has pressed the keys has returned, the phone has taken the last one, or never will


async def press_watched(pid, press, hearing):
    """Press keys; return what `press` returns, and for how many ms the process `pid` was kept waiting meanwhile.

    hearing: the task that waits for their effect; once it is done the phone's waits no longer count.
    """
    before_ms = kept_waiting_ms(pid)
    pressed = await press()
    await asyncio.wait((hearing,), timeout=_TAKEN_S)
    return pressed, kept_waiting_ms(pid) - before_ms


async def press_until_heard(pid, press, hear):
    """Press keys until they are heard, and return what `hear` returns.

    press, hear: functions that return coroutines. That of `hear` begins before the keys are pressed, and fails with a
    PhoneError or an AssertionError. It counts unless the process `pid` was kept waiting while the keys were pressed.
    """
    for _ in range(MOST_TRIES):
        hearing = asyncio.create_task(hear())
        await asyncio.sleep(0)  # lets the task begin to listen
        try:
            _, waited_ms = await press_watched(pid, press, hearing)
        except BaseException:
            hearing.cancel()
            raise
        try:
            return await hearing
        except (PhoneError, AssertionError):
            if waited_ms < LEAST_WAIT_MS:
                raise
    raise AssertionError(f"not heard, though pressed {MOST_TRIES} times")
