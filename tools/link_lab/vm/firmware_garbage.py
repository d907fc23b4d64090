"""In place of the firmware's main.py: runs the real one, and prints what it allocates per second while nothing happens.

Does not change it: `asyncio.run` of its namespace is wrapped, so that the measurement is one more task beside its own.
The heap must be large enough that nothing is collected meanwhile.
"""

import asyncio
import gc

import terminal_main

SETTLE_S = 6  # past the first telemetry
WINDOW_S = 12


class Runner:
    """Stands for `asyncio` in the firmware's main.py."""

    @staticmethod
    def run(firmware):
        """Run the firmware and the measurement."""

        async def both():
            task = asyncio.create_task(firmware)
            await asyncio.sleep(SETTLE_S)
            gc.collect()
            before = gc.mem_alloc()
            await asyncio.sleep(WINDOW_S)
            print("idle_bytes_per_s", (gc.mem_alloc() - before) // WINDOW_S)
            await task

        asyncio.run(both())


terminal_main.asyncio = Runner
terminal_main.main()
