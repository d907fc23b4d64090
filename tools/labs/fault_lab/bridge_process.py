"""Bridges in separate processes, each with its own store file, that can be killed at any moment.

Does not know what a bridge does. `kill` is immediate, so that it can strike between two packets.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

_PATIENCE_S = 20.0


class Nursery:
    """The process that starts bridges (`nursery.py`); one for all."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Start it; it loads the bridge's code meanwhile."""
        path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fault_lab.nursery", stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # only the parent handles Ctrl-C
        )  # fmt: skip

    async def stop(self) -> None:
        """End it, and every bridge that still runs."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _PATIENCE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and return its answer."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ValueError("the nursery has not been started")
        async with self._lock:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_S)
        return dict(json.loads(line))


class BridgeProcess:
    """One bridge with the settings given as overrides; after `kill` and `wait_gone` it can be started again."""

    def __init__(self, nursery: Nursery, settings: list[str], log: Path) -> None:
        self._nursery = nursery
        self._settings = settings
        self._log = log
        self._pid: int | None = None

    async def start(self) -> None:
        """Start it; it is not ready yet."""
        answer = await self._nursery.ask({"start": {"settings": self._settings, "log": str(self._log)}})
        self._pid = answer["pid"]

    def kill(self) -> None:
        """End it as kill -9 does, at once."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    async def wait_gone(self) -> None:
        """Return once the killed process is gone."""
        if self._pid is not None:
            pid, self._pid = self._pid, None
            await self._nursery.ask({"wait": pid})

    def log_tail(self, lines: int) -> list[str]:
        """Return the last lines of its log."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return text.splitlines()[-lines:]
