"""One run of the simulated chip: a MicroPython process, from power on to power off.

Does not know what a phone is; frames go in, and the callbacks get lines and the process's output.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from virtual_phone.chip_process import ChipProcess

_MOST_LINE_BYTES = 1024 * 1024
_MOST_OUTPUT_BYTES = 500
URGENT_S = 2.0  # after a contact has moved


class SimulatedChip(ChipProcess):
    """A MicroPython process and the socket to it; for one run only."""

    def __init__(
        self, on_line: Callable[[bytes], None], on_output: Callable[[str], None], on_end: Callable[[int], None]
    ) -> None:
        super().__init__()
        self._on_line, self._on_output, self._on_end = on_line, on_output, on_end
        self._writer: asyncio.StreamWriter | None = None
        self._calming: asyncio.TimerHandle | None = None  # set while it is urgent

    async def power_on(self, argv: list[str], environment: dict[str, str], folder: Path, first: bytes = b"") -> None:
        """Start the process in `folder`; the callbacks are not called until the caller waits for something.

        The frames in `first` are there before the process, as pins have their levels before a chip starts.
        """
        here, there = socket.socketpair()
        here.sendall(first)
        there.setblocking(False)
        with there:
            await self._start_process(
                *argv,
                env={**environment, "PHONETERM_HOST_FD": str(there.fileno())},
                cwd=folder,
                pass_fds=(there.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        try:
            reader, self._writer = await asyncio.open_connection(sock=here, limit=_MOST_LINE_BYTES)
        except BaseException:
            await self.power_off()
            raise
        self._tasks = [asyncio.create_task(self._hear(reader)), asyncio.create_task(self._follow())]

    def run_at_once(self) -> None:
        """Let it run whenever it has something to do, for a while, where that is permitted (Linux, root).

        A chip has its processor to itself. On a busy computer any priority below real time leaves it waiting. But it
        takes time from the others whenever it looks at its keypad, so it goes first only while somebody may be keying.
        """
        if self._calming is None:
            self._schedule(is_urgent=True)
        else:
            self._calming.cancel()
        self._calming = asyncio.get_running_loop().call_later(URGENT_S, self._calm_down)

    def _calm_down(self) -> None:
        self._calming = None
        self._schedule(is_urgent=False)

    def _schedule(self, is_urgent: bool) -> None:
        if self.pid is not None and sys.platform == "linux":
            kind = (os.SCHED_RR, os.sched_param(1)) if is_urgent else (os.SCHED_OTHER, os.sched_param(0))
            with contextlib.suppress(OSError):
                os.sched_setscheduler(self.pid, *kind)

    def send(self, frame: bytes) -> None:
        """Send one frame; it is lost when the chip is gone."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(frame)

    def close_link(self) -> None:
        """Close the socket, as when the host is gone."""
        if self._writer is not None:
            self._writer.close()

    async def _close_links(self) -> None:
        if self._calming is not None:
            self._calming.cancel()
        self.close_link()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            self._on_line(line)

    async def _follow(self) -> None:
        """Pass the process's output on, then its exit code."""
        assert self._process is not None
        assert self._process.stdout is not None
        rest = b""
        while chunk := await self._process.stdout.read(4096):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._output(line)
            if len(rest) > _MOST_OUTPUT_BYTES:
                self._output(rest)
                rest = b""
        if rest:
            self._output(rest)
        self._on_end(await self._process.wait())

    def _output(self, line: bytes) -> None:
        self._on_output(line[:_MOST_OUTPUT_BYTES].decode(errors="replace").rstrip("\r"))
