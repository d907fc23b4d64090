"""Lets at most two emulated chips run on this machine at once, whoever starts them.

Does not start them. A slot is a locked file in the folder for temporary files. Every process that has the file open
holds the slot, so a chip holds its slot as long as it runs, whatever happens to its parent.
"""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

SLOTS = 2
_LOOK_S = 0.2


async def take_slot(folder: Path | None = None, on_wait: Callable[[], None] = lambda: None) -> int:
    """Wait for a slot and return its file descriptor; closing that gives the slot back.

    `on_wait` is called once if no slot is free.
    """
    has_waited = False
    while True:
        for number in range(SLOTS):
            fd = _try_to_take((folder or Path(tempfile.gettempdir())) / f"phoneterm-chip-{number}.lock")
            if fd is not None:
                return fd
        if not has_waited:
            has_waited = True
            on_wait()
        await asyncio.sleep(_LOOK_S)


def _try_to_take(path: Path) -> int | None:
    try:  # the file of another user can be locked too, but neither be written nor opened with O_CREAT
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        fd = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
