"""The process of one run of a chip, simulated or emulated: a power cut is a kill.

Does not start the process or know what it says. The firmware gets no chance to say goodbye, as with a pulled plug.
"""

import asyncio
import contextlib
import os
import signal


class ChipProcess:
    """What every run has: at most one process, in a session of its own, and the tasks that listen to it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

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
