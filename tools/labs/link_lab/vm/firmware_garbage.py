"""Replaces the firmware's main.py: runs the real one, and prints how much it allocates per second while idle.

Does not change it: the measurement is one more task beside its own.
The heap must be large enough that nothing is collected meanwhile.
"""

import asyncio
import gc

import terminal_main

SETTLE_S = 6  # past the first telemetry
WINDOW_S = 12


async def measure(life):
    """Run the firmware, and measure beside it."""
    task = asyncio.create_task(life)
    await asyncio.sleep(SETTLE_S)
    gc.collect()
    before = gc.mem_alloc()
    await asyncio.sleep(WINDOW_S)
    print("idle_bytes_per_s", (gc.mem_alloc() - before) // WINDOW_S)
    await task


asyncio.run(measure(terminal_main.assemble(BREADCRUMB)))  # noqa: F821 - of boot.py
