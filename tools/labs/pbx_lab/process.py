"""Starts and ends one program of the lab.

Does not know what the program is for. It runs in its own session, so that Ctrl-C reaches only the lab, and under the
guard, so that it ends even if the lab is killed.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from pbx_lab.guard import Guard

TERMINATE_S = 3.0


class LabFailed(Exception):
    """The lab could not carry out a request; the sentence says what and, where known, why."""


class LabProcess:
    """One running program; `start_process` makes it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, guard: Guard, output: Path) -> None:
        """Keep the process and its files; `output` is the file with the program's output."""
        self.name = name
        self.output = output
        self._process = process
        self._guard = guard

    @property
    def is_running(self) -> bool:
        """Say whether the program still runs."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait until the program ends and return its exit code."""
        code = await self._process.wait()
        self._guard.forget_process(self._process.pid)
        return code

    async def stop(self) -> None:
        """End the program, by force if it does not end when asked."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(TERMINATE_S):
                await self.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.wait()

    async def kill(self) -> None:
        """End the program as a crash would."""
        self._signal(signal.SIGKILL)
        await self.wait()

    def last_line(self) -> str:
        """Return the last line the program printed, "nothing" when there is none."""
        lines = self.output.read_text(errors="replace").split("\n") if self.output.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


async def start_process(name: str, argv: list[str], output: Path, guard: Guard) -> LabProcess:
    """Start a program with its output going to a file."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"  # a program in another root needs its own
    environment = dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8", PATH=path)
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    guard.watch_process(process.pid)
    return LabProcess(name, process, guard, output)


async def run_program(name: str, argv: list[str], output: Path, guard: Guard) -> None:
    """Run a program to its end; LabFailed has the last line of one that fails."""
    process = await start_process(name, argv, output, guard)
    if await process.wait():
        raise LabFailed(f"{name} failed: {process.last_line()}")
