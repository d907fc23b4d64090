"""The virtual phone: a desk phone with the firmware as a device gets it, and its control socket.

Does not add anything to them. It belongs to the event loop that started it; on Linux the firmware's process also dies
with the thread that started it.
"""

import asyncio
import tempfile
from pathlib import Path

from firmware_build.image import make_image
from firmware_build.sizes import compile_module

from virtual_phone.control import ControlServer
from virtual_phone.desk_phone import BOARD, DRIVERS, FIRMWARE, DeskPhone
from virtual_phone.letters import read_letters
from virtual_phone.wired_display import WiredDisplay


class VirtualPhone(DeskPhone):
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"; control_port 0 takes a free port.

    `display` is "oled" or "lcd" for one that costs time, with its real driver.
    """

    def __init__(
        self,
        settings: dict[str, str],
        control_port: int = 0,
        heap_kib: int = 160,
        *,
        firmware: Path = FIRMWARE,
        board: Path = BOARD,
        access_point: tuple[str, str] | None = None,
        tick_ms: int = 0,
        display: str = "",
        join_s: float = 0,
    ) -> None:
        self._sources = firmware
        self._driver = display
        self._image = tempfile.TemporaryDirectory(prefix="phoneterm-image-")
        image = Path(self._image.name)
        super().__init__(
            settings, heap_kib, firmware=image, board=board, access_point=access_point, tick_ms=tick_ms,
            join_s=join_s, display=WiredDisplay(display, read_letters()) if display else None,
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
        image = Path(self._image.name)
        await asyncio.to_thread(make_image, self._sources, image)
        if self._driver:
            await asyncio.to_thread(compile_module, DRIVERS / f"{self._driver}.py", Path(f"{self._driver}.py"), image)
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
