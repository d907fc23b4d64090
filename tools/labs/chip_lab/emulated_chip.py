"""One run of the emulated chip: the emulator's process, from power on to power off.

Does not know what a phone is. The keypad is at pins of the chip and is moved over QMP; bytes from the serial port go to
a callback.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from lab_parts import bound_process
from virtual_phone.chip_process import ChipProcess

from chip_lab.qmp import EmulatorRefused, Qmp

_PINS = "/machine/soc/gpio"
_NETWORK = "esp32_wifi.0"
_START_S = 20


class EmulatedChip(ChipProcess):
    """A process; for one run only. Every byte it writes to its serial port goes to `on_serial`."""

    def __init__(self, on_serial: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        super().__init__()
        self._on_serial, self._on_end = on_serial, on_end
        self._serial: asyncio.StreamWriter | None = None
        self._qmp: Qmp | None = None

    async def power_on(self, program: Path, flash: Path, slot: int, keys: int, is_hook_closed: bool) -> None:
        """Start the program on a flash; it holds `slot`. Keys and hook have their positions before the chip runs.

        EmulatorRefused with the reason when it does not start.
        """
        serial, serial_there = _make_roomy_pair()
        control, control_there = socket.socketpair()
        with serial_there, control_there:
            await self._start(program, flash, slot, (serial_there.fileno(), control_there.fileno()))
        try:
            reader, self._serial = await asyncio.open_connection(sock=serial)
            self._tasks = [asyncio.create_task(self._hear(reader)), asyncio.create_task(self._wait())]
            self._qmp = Qmp(*await asyncio.open_connection(sock=control))
            async with asyncio.timeout(_START_S):
                await self._qmp.open()
                self.set_keys(keys)
                self.set_hook(is_hook_closed)
                await self._qmp.ask("cont")
        except (EmulatorRefused, TimeoutError):
            words = await self._last_words()
            await self.power_off()
            raise EmulatorRefused(words or "the emulator did not start") from None
        except BaseException:
            await self.power_off()
            raise

    def set_keys(self, keys: int) -> None:
        """Press these keys: bit 4 * row + column."""
        self._set("keys", keys)

    def set_hook(self, is_closed: bool) -> None:
        """Close or open the hook's switch."""
        self._set("hook", int(is_closed))

    def set_network(self, is_up: bool) -> None:
        """Let frames through, or lose all of them."""
        if self._qmp is not None:
            self._qmp.send("set_link", name=_NETWORK, up=is_up)

    async def count_looks(self) -> int:
        """Return how often the chip has read pins since power-on."""
        assert self._qmp is not None
        return int(await self._qmp.ask("qom-get", path=_PINS, property="samples"))

    def send(self, data: bytes) -> None:
        """Send bytes to the serial port; they are lost when the chip is gone."""
        if self._serial is not None and not self._serial.is_closing():
            self._serial.write(data)

    async def _close_links(self) -> None:
        if self._qmp is not None:
            await self._qmp.close()
        if self._serial is not None:
            self._serial.close()

    async def _start(self, program: Path, flash: Path, slot: int, fds: tuple[int, int]) -> None:
        serial, control = fds
        process = await self._start_process(
            sys.executable, "-I", "-S", bound_process.__file__, str(os.getpid()), str(program), str(flash), "-S",
            "-chardev", f"socket,id=serial,fd={serial}", "-serial", "chardev:serial",
            "-chardev", f"socket,id=control,fd={control}", "-mon", "chardev=control,mode=control",
            pass_fds=(*fds, slot),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _let_session_go_first(process.pid)

    async def _last_words(self) -> str:
        """Return the last line of the program's error output."""
        assert self._process is not None
        assert self._process.stderr is not None
        self._kill()
        lines = (await self._process.stderr.read()).decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def _set(self, name: str, value: int) -> None:
        if self._qmp is not None:
            self._qmp.send("qom-set", path=_PINS, property=name, value=value)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                self._on_serial(data)

    async def _wait(self) -> None:
        assert self._process is not None
        self._on_end(await self._process.wait())


def _make_roomy_pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection that buffers thousands of single bytes before somebody reads them.

    The emulator writes byte by byte, and loses what it cannot write at once; a pair of Unix sockets buffers some 250.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = socket.create_connection(server.getsockname())
        there, _ = server.accept()
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return here, there


def _let_session_go_first(pid: int) -> None:
    """Let the session of this process go before others, where Linux shares the processor by sessions, for root.

    The chip's two cores wait for each other at every access to the flash: on a busy computer that takes seconds.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(bound_process.FIRST_IN_LINE))
