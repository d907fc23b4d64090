"""The virtual phone: a desk phone and its control socket.

Does not add anything to them. It belongs to the event loop that started it; on Linux the firmware's process also dies
with the thread that started it.
"""

from pathlib import Path

from virtual_phone.control import ControlServer
from virtual_phone.desk_phone import BOARD, FIRMWARE, DeskPhone


class VirtualPhone(DeskPhone):
    """One phone. `settings` are the texts in the NVS namespace "phoneterm"; control_port 0 takes a free port."""

    def __init__(
        self,
        settings: dict[str, str],
        control_port: int = 0,
        heap_kib: int = 160,
        *,
        firmware: Path = FIRMWARE,
        board: Path = BOARD,
        access_point: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(settings, heap_kib, firmware=firmware, board=board, access_point=access_point)
        self._server = ControlServer(self, control_port)

    @property
    def control_port(self) -> int:
        """Where the control socket listens on 127.0.0.1."""
        return self._server.port

    async def start(self) -> None:
        """Open the control socket and switch the power on; OSError when the port is taken."""
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
