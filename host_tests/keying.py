"""Presses keys again where this computer kept a virtual phone from hearing them, by the kernel's word alone."""

import asyncio

from lab_parts.kept_waiting import LEAST_WAIT_MS, kept_waiting_ms
from virtual_phone.client import PhoneError

MOST_TRIES = 8  # each counts only where the kernel says that the phone was kept waiting
HEARD_S = 10


async def press_until_heard(pid, press, hear):
    """Press keys until they are heard, and return what `hear` returns.

    press, hear: functions that return coroutines. That of `hear` begins before the keys are pressed, and fails with a
    PhoneError or an AssertionError. A failure counts if the process `pid` was not kept waiting meanwhile.
    """
    for _ in range(MOST_TRIES):
        before_ms = kept_waiting_ms(pid)
        try:
            heard, _ = await asyncio.gather(hear(), press())
            return heard
        except (PhoneError, AssertionError):
            if kept_waiting_ms(pid) - before_ms < LEAST_WAIT_MS:
                raise
    raise AssertionError(f"not heard, though pressed {MOST_TRIES} times")
