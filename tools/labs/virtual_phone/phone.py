"""The virtual phone: a desk phone with the firmware as a device gets it, and its control socket.

Does not add anything to them. It belongs to the event loop that started it; on Linux the firmware's process also dies
with the thread that started it. With bits=32 the chip's own modules are in its ROM (`chip_rom.py`), and with is_frozen
the firmware's are there too, as in an image that has it frozen in: neither takes more of the heap than it must.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

from virtual_phone import vm
from virtual_phone.control import ControlServer
from virtual_phone.desk_phone import BOARD, FIRMWARE, DeskPhone
from virtual_phone.letters import read_letters
from virtual_phone.phone_files import IMAGE, Sources, rom_place
from virtual_phone.wired_display import WiredDisplay


class VirtualPhone(DeskPhone):
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"; control_port 0 takes a free port.

    `display` is "oled" or "lcd" for one that costs time, with its real driver.
    """

    def __init__(
        self,
        settings: dict[str, str],
        control_port: int = 0,
        heap_kib: int = vm.CHIP_HEAP_KIB,
        *,
        firmware: Path = FIRMWARE,
        board: Path = BOARD,
        access_point: tuple[str, str] | None = None,
        tick_ms: int = 0,
        display: str = "",
        bits: int = 64,
        is_frozen: bool = False,
        join_s: float = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if is_frozen and bits != 32:
            raise ValueError("only the 32-bit chip has a ROM for the firmware")
        self._sources = Sources(firmware, board, display, bits == 32, is_frozen)
        self._folder = tempfile.TemporaryDirectory(prefix="phoneterm-image-")
        folder = Path(self._folder.name)
        rom = {"PHONETERM_ROM": str(rom_place(folder))} if bits == 32 else {}
        super().__init__(
            settings, heap_kib, firmware=folder / IMAGE, board=board, access_point=access_point, tick_ms=tick_ms,
            join_s=join_s, display=WiredDisplay(display, read_letters()) if display else None, bits=bits,
            environment={**rom, **(environment or {})},
        )  # fmt: skip
        self._server = ControlServer(self, control_port)

    @property
    def control_port(self) -> int:
        """Where the control socket listens on 127.0.0.1."""
        return self._server.port

    async def start(self) -> None:
        """Compile the firmware, open the control socket and switch the power on.

        OSError when the port is taken; CompileFailed names what does not compile.
        """
        await asyncio.to_thread(self._sources.put_files, Path(self._folder.name))
        await self._server.start()
        try:
            await self.power.on("power")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the control socket and switch the power off for good; nothing is left behind."""
        await self._server.stop()
        await self.power.close()
