"""The disk of the store: can it be written to, and is there room. Does not look at the store itself.

Measured: 100,000 commands take 94 MB of journal, so a gigabyte is ten very busy days.
"""

import os
from collections.abc import Callable
from pathlib import Path

from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding

_PART = "disk"
LEAST_FREE_BYTES = 50 * 1024**2
LITTLE_FREE_BYTES = 1024**3
_MB = 1024**2


def examine_disk(store_path: Path, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs) -> list[Finding]:
    """Look at the file system that holds the store, or will hold it, as `statvfs` describes it."""
    folder = next(folder for folder in store_path.absolute().parents if folder.exists())
    if is_read_only(store_path if store_path.exists() else folder, statvfs):
        sentence = f"The bridge cannot write to {store_path}: no command could be journalled, so no transfer begins."
        fix = Change(
            "command line", f"mount -o remount,rw the file system of {folder}, or chown it to the bridge's user"
        )
        return [Finding(PROBLEM, _PART, sentence, fix)]
    volume = statvfs(folder)
    free_bytes = volume.f_bavail * volume.f_frsize
    sentence = f"The file system of {folder} has {free_bytes // _MB} MB free."
    fix = Change("settings, section [store]", 'path = "..."   # on a larger disk, or make room on this one')
    if free_bytes < LEAST_FREE_BYTES:
        return [Finding(PROBLEM, _PART, f"{sentence} When it is full, no transfer begins any more.", fix)]
    if free_bytes < LITTLE_FREE_BYTES:
        return [Finding(WARNING, _PART, f"{sentence} A busy day's journal takes about 100.", fix)]
    return [Finding(OK, _PART, sentence)]


def is_read_only(path: Path, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs) -> bool:
    """Say whether a file or folder cannot be written to, by its rights or because its file system is read-only."""
    return bool(statvfs(path).f_flag & os.ST_RDONLY) or not os.access(path, os.W_OK)
