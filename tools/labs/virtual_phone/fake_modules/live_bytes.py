"""Prints now and then how much of the heap is in use; with PHONETERM_LIVE=names also every name that the VM keeps.

Does not know the firmware: it is a task that waits in the loop until the firmware runs it. It takes some 600 bytes.
"""

import asyncio
import gc
import os

import micropython

LOOK_MS = 250


async def say():
    """Collect garbage and print what is left, for ever."""
    while True:
        await asyncio.sleep_ms(LOOK_MS)
        gc.collect()
        if os.getenv("PHONETERM_LIVE") == "names":
            micropython.qstr_info(1)
        print("live", gc.mem_alloc())


asyncio.create_task(say())  # noqa: RUF006 - the loop keeps it
