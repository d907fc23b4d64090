"""Ends a lab's processes and removes its folders when the lab is gone, however it ended.

Does not start the lab's processes. The lab keeps a pipe to this small process open and writes to it what must be
cleaned up; when the pipe closes (stop, crash, kill -9), the guard cleans up and exits. Linux and other Unix only.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

TERMINATE_S = 2.0


class Guard:
    """The lab's side: starts the guard process and tells it what to clean up."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the guard process."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", __file__, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )

    def watch_process(self, pid: int) -> None:
        """End this process (the leader of its own group) together with the lab."""
        self._tell(f"process {pid}")

    def forget_process(self, pid: int) -> None:
        """The process has ended; its id may soon be reused."""
        self._tell(f"ended {pid}")

    def watch_folder(self, folder: Path) -> None:
        """Remove this folder together with the lab."""
        self._tell(f"folder {folder}")

    async def stop(self) -> None:
        """Clean up everything and wait until it is done."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()
            self._process = None

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            raise ValueError("the guard has not been started")
        self._process.stdin.write(line.encode() + b"\n")


def clean_when_told(lines: Iterable[str]) -> None:
    """Read what to clean up until the pipe closes, then clean up."""
    processes: set[int] = set()
    folders: list[Path] = []
    for line in lines:
        what, _, which = line.strip().partition(" ")
        if what == "process":
            processes.add(int(which))
        elif what == "ended":
            processes.discard(int(which))
        elif what == "folder":
            folders.append(Path(which))
    end_groups(processes)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end_groups(groups: set[int]) -> None:
    """Terminate these process groups, and kill those that have not ended after a moment."""
    _signal_all(groups, signal.SIGTERM)
    deadline = time.monotonic() + TERMINATE_S
    while any(_is_alive(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.02)
    _signal_all(groups, signal.SIGKILL)


def _signal_all(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    clean_when_told(sys.stdin)
