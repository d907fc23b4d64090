"""Measures what the firmware takes of a chip's heap, on the 32-bit VM of the virtual phone.

Does not judge; `limits.py` says what may be. Both measures are upper bounds: the simulated chip's own modules, which
are C on a chip, take some 5 KB of the same heap; they run from its ROM. "Frozen" is the firmware run from that ROM too,
which differs from an image with the firmware frozen in by what `flash_tables.py` counts: that much more heap is given
to the VM, and subtracted from what it says.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_build.image import make_image
from virtual_phone.desk_phone import FIRMWARE

from heap_lab import story
from heap_lab.flash_tables import flash_bytes

ROOMY_KIB = 256
_SMALLEST_KIB, _STEP_KIB = 24, 1
_SETTLED = 6  # so many looks later what was needed to get ready is gone
_NEEDED_ONCE = ("assembly", "settings", "tls", "config", "digit_map_text", "clock", "wipe")  # gone when it is ready


@dataclass(frozen=True)
class Live:
    """Bytes in use at ready, and those among them that would be flash if the firmware were frozen in."""

    heap_bytes: int
    flash_bytes: int

    @property
    def bytes(self) -> int:
        """What the firmware takes."""
        return self.heap_bytes - self.flash_bytes


async def measure_live(is_frozen: bool) -> Live:
    """Return what is in use with the terminal ready and a call shown."""
    async with story.installed(ROOMY_KIB, is_frozen, "names" if is_frozen else "bytes") as installation:
        await story.place_call(installation)
        for _ in range(_SETTLED):
            installation.phone.log_lines.clear()
            live = await installation.keypad.wait_for_event(lambda event: event.get("line", "").startswith("live "))
        names = [line[2:-1] for line in installation.phone.log_lines if line.startswith("Q(")]
    heap = int(live["line"].split()[1])
    return Live(heap, await asyncio.to_thread(_flash_bytes, names) if is_frozen else 0)


def _flash_bytes(names: list[str]) -> int:
    """Return what a frozen image has in flash of the modules that are there at ready."""
    with TemporaryDirectory(prefix="phoneterm-heap-") as folder:
        make_image(FIRMWARE, Path(folder))
        modules = [path for path in Path(folder).rglob("*.mpy") if path.stem not in _NEEDED_ONCE]
        return flash_bytes(modules, names)


async def works_in(heap_bytes: int, is_frozen: bool, flash: int = 0) -> bool:
    """Say whether the whole story passes in a heap of so many bytes, and as many more as would be flash."""
    try:
        async with story.installed((heap_bytes + flash) // 1024, is_frozen) as installation:
            await story.play(installation)
    except story.StoryFailed:
        return False
    return True


async def find_smallest(is_frozen: bool, live: Live) -> int:
    """Return the smallest heap, in whole KiB but for the flash in it, in which the story passes."""
    low, high = live.heap_bytes // 1024, ROOMY_KIB  # it fails in low and passes in high
    high = min(high, low * 3 // 2)
    while high - low > _STEP_KIB:
        middle = (low + high) // 2
        if await works_in(middle * 1024, is_frozen):
            high = middle
        else:
            low = middle
    return high * 1024 - live.flash_bytes
