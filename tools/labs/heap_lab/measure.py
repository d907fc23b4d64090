"""Measures how much of a chip's heap the firmware takes, on the 32-bit VM of the virtual phone.

Does not judge; `limits.py` has the limits. Two things are on this VM's heap but not on a chip's. They are measured,
subtracted from the VM's figures, and added to its heap:
- the simulated chip's own modules, which are C on a chip. They run from the simulated ROM, which leaves about 5 KB of
  functions, names and pins (`vm/chip_alone.py` measures them). The task that reports the bytes in use counts too;
- with the firmware "frozen": it runs from that ROM, where its byte code and texts are in place as in flash. In a real
  frozen image the tables of its names and constants are in flash too (`flash_tables.py` counts them).
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_build.image import make_image
from virtual_phone.build import FIRMWARE, Build
from virtual_phone.phone import VirtualPhone

from heap_lab import story
from heap_lab.flash_tables import flash_bytes

ROOMY_KIB = 256
# Parts that would be in flash lie scattered in the stand-in's heap. A VM really built with the firmware frozen in needs
# this much less: it works in 49 KiB with the simulated chip's modules, this one in 65 KiB.
_GAPS_BYTES = 2048
_WITH_TABLES = 1 + 3 / 128  # three bits for each block of 16 bytes
_SMALLEST_KIB, _STEP_KIB = 24, 1
_CHIP_ALONE = Path(__file__).parent / "vm" / "chip_alone.py"
_DEADLINE_S = 60
_SETTLED = 6  # after this many looks, objects needed only for starting are gone
_NEEDED_ONCE = (  # gone when it is ready, or not there yet
    "assembly", "settings", "tls", "config", "digit_map_compiler", "digit_map_text", "clock", "wipe", "causes", "lack",
)  # fmt: skip


@dataclass(frozen=True)
class Live:
    """Bytes in use at ready, and those of them that would not be on a chip's heap."""

    heap_bytes: int
    not_on_chip_bytes: int
    is_frozen: bool = False

    @property
    def bytes(self) -> int:
        """The bytes that the firmware takes."""
        return self.heap_bytes - self.not_on_chip_bytes

    def heap_kib(self, most_bytes: int) -> int:
        """Return the VM's heap, in KiB, that corresponds to this many bytes on a chip."""
        return (most_bytes + self.extra_bytes) // 1024

    @property
    def extra_bytes(self) -> int:
        """The VM's extra heap: for what is not on a chip's heap, with the collector's tables and gaps."""
        return int(self.not_on_chip_bytes * _WITH_TABLES) + (_GAPS_BYTES if self.is_frozen else 0)


async def measure_chip() -> int:
    """Return the bytes of the simulated chip's own modules."""
    with TemporaryDirectory(prefix="phoneterm-heap-") as folder:
        shutil.copytree(FIRMWARE, folder, dirs_exist_ok=True)
        (Path(folder) / "boot.py").unlink()
        shutil.copyfile(_CHIP_ALONE, Path(folder) / "main.py")
        phone = VirtualPhone({}, build=Build(Path(folder), heap_kib=ROOMY_KIB, bits=32))
        has_ended = asyncio.Event()
        phone.events.listen(lambda event: has_ended.set() if event["event"] == "end" else None)
        await phone.start()
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await has_ended.wait()
            return int(next(line for line in phone.log_lines if line.startswith("chip ")).split()[1])
        finally:
            await phone.stop()


async def measure_live(is_frozen: bool, chip_bytes: int) -> Live:
    """Return the bytes in use with the terminal ready and a call shown."""
    async with story.installed(ROOMY_KIB, is_frozen, "names" if is_frozen else "bytes") as installation:
        await story.place_call(installation)
        for _ in range(_SETTLED):
            installation.phone.log_lines.clear()
            live = await installation.keypad.wait_for_event(lambda event: event.get("line", "").startswith("live "))
        names = [line[2:-1] for line in installation.phone.log_lines if line.startswith("Q(")]
    heap = int(live["line"].split()[1])
    flash = await asyncio.to_thread(_flash_bytes, names) if is_frozen else 0
    return Live(heap, chip_bytes + flash, is_frozen)


def _flash_bytes(names: list[str]) -> int:
    """Return how many bytes of the modules loaded at ready would be in flash in a frozen image."""
    with TemporaryDirectory(prefix="phoneterm-heap-") as folder:
        make_image(FIRMWARE, Path(folder))
        modules = [path for path in Path(folder).rglob("*.mpy") if path.stem not in _NEEDED_ONCE]
        return flash_bytes(modules, names)


async def works_in(heap_kib: int, is_frozen: bool) -> bool:
    """Say whether the whole story passes in a heap of the VM."""
    try:
        async with story.installed(heap_kib, is_frozen) as installation:
            await story.play(installation)
    except story.StoryFailed:
        return False
    return True


async def find_smallest(is_frozen: bool, live: Live) -> int:
    """Return the smallest heap in which the story passes, without what would not be on a chip's heap."""
    low, high = live.heap_bytes // 1024, ROOMY_KIB  # it fails in low and passes in high
    high = min(high, low * 3 // 2)
    while high - low > _STEP_KIB:
        middle = (low + high) // 2
        if await works_in(middle, is_frozen):
            high = middle
        else:
            low = middle
    return high * 1024 - live.extra_bytes
