"""A process with its own virtual phone that prints the chip's process id: python lone_host.py FIRMWARE BITS.

Does not end the chip: it waits to be killed.
"""

import asyncio
import sys
from pathlib import Path

from virtual_phone.build import Build
from virtual_phone.phone import VirtualPhone


async def run(firmware, bits):
    """Start a phone and wait."""
    phone = VirtualPhone({}, build=Build(firmware, bits=bits))
    await phone.start()
    print(phone.pid, flush=True)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
