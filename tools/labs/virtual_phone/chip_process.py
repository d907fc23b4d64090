"""The process of one run of a chip, simulated or emulated: a power cut is a kill.

Does not start the process or know what it says. The firmware gets no chance to say goodbye, as with a pulled plug.
"""

import asyncio
import contextlib
import os
import signal
from typing import Any


class ChipProcess:
    """What every run has: at most one process, in a session of its own, and the tasks that listen to it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def _start_process(self, *argv: str, **options: Any) -> asyncio.subprocess.Process:
        """Start the process in a session of its own: Ctrl-C in the terminal is meant for the host.

        When a start is cancelled, asyncio would end the process alone: here those that it has started end, too.
        """
        starting = asyncio.ensure_future(asyncio.create_subprocess_exec(*argv, start_new_session=True, **options))
        try:
            self._process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._process = await starting
            await self.power_off()
            raise
        return self._process

    async def power_off(self) -> None:
        """Kill the process if it still runs, and wait until nothing of it is left."""
        if self._process is None:
            return
        for task in self._tasks:
            task.cancel()
        self._kill()
        await self._process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close_links()

    async def _close_links(self) -> None:
        """Close the connections to the process that was."""
        raise NotImplementedError

    def _kill(self) -> None:
        """Kill the process and those that it has started; it may have ended without asyncio's knowledge."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # its session is its own
