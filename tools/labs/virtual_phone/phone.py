"""The virtual phone: a desk phone with the firmware as a device gets it, and its control socket.

Does not add anything to them. It belongs to the event loop that started it; on Linux the firmware's process also dies
with the thread that started it. Modules in the ROM of a 32-bit chip (`chip_rom.py`) take no more of the heap than they
must.
"""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from virtual_phone.build import USUAL, Build
from virtual_phone.control import ControlServer
from virtual_phone.desk_phone import DeskPhone
from virtual_phone.phone_files import IMAGE, Sources, rom_place


class VirtualPhone(DeskPhone):
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"; control_port 0 means a free port."""

    def __init__(
        self,
        settings: dict[str, str],
        control_port: int = 0,
        build: Build = USUAL,
        *,
        access_point: tuple[str, str | None] | None = None,
    ) -> None:
        self._sources = Sources(build.firmware, build.board, build.display, build.has_rom, build.is_frozen)
        self._folder = tempfile.TemporaryDirectory(prefix="phoneterm-image-")
        folder = Path(self._folder.name)
        rom = {"PHONETERM_ROM": str(rom_place(folder))} if build.has_rom else {}
        made = replace(build, firmware=folder / IMAGE, environment={**rom, **build.environment})
        super().__init__(settings, made, access_point=access_point)
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
        """Close the control socket and switch the power off for good; no process is left behind."""
        await self._server.stop()
        await self.power.close()
