"""A separate process, bound to cores and controlled by lines of JSON. Does not know what it does.

Also reads from the kernel how much processor time and memory a process has used.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

_MOST_LINE_BYTES = 256 * 1024 * 1024
_GOODBYE_S = 10.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class WorkerFailed(Exception):
    """A process ended, or did not answer in time; the sentence says which."""


class Worker:
    """One process; its output other than JSON goes to `log`, and all of it if it `is_mute`."""

    def __init__(self, name: str, argv: list[str], cores: str, log: Path | None = None, is_mute: bool = False) -> None:
        self.name = name
        self._argv = argv
        self._cores = cores
        self._log = log
        self._is_mute = is_mute
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise ValueError(f"{self.name} has not been started")
        return self._process.pid

    async def start(self, environment: dict[str, str] | None = None) -> None:
        """Start it; it is bound to its cores before it starts any thread."""
        argv = ["taskset", "-c", self._cores, *self._argv]
        log = self._log.open("ab") if self._log else None
        self._process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=(log or DEVNULL) if self._is_mute else PIPE, stderr=log or DEVNULL,
            limit=_MOST_LINE_BYTES, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        if log:
            log.close()

    async def read(self, patience_s: float = 30.0) -> Any:
        """Return its next JSON line."""
        if self._process is None or self._process.stdout is None:
            raise ValueError(f"{self.name} has not been started")
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), patience_s)
        except TimeoutError:
            raise WorkerFailed(f"The process {self.name} said nothing for {patience_s:g} s.") from None
        if not line:
            raise WorkerFailed(f"The process {self.name} ended{self._last_words()}")
        return json.loads(line)

    async def ask(self, answer_within_s: float = 60.0, **order: Any) -> Any:
        """Send one order and return the answer."""
        if self._process is None or self._process.stdin is None:
            raise ValueError(f"{self.name} has not been started")
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self.read(answer_within_s)

    async def stop(self) -> None:
        """Stop it: first terminate, then kill."""
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _GOODBYE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-3:] if self._log and self._log.exists() else []
        return ": " + " / ".join(lines) if lines else "."


def share_cores() -> tuple[str, str]:
    """Return one core for the measured process, and all others for the rest, as `taskset` writes them."""
    first, *others = sorted(os.sched_getaffinity(0))
    return str(first), ",".join(map(str, others)) or str(first)


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this project."""
    return [sys.executable, "-m", module, *arguments]


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, in its own code and in the kernel for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
