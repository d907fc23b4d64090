"""Measures the disk alone: the shortest wait of a commit for it, whatever the bridge does."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

_WRITTEN = bytes(16 * 1024)  # about as much as a commit of a single command writes to SQLite's log
_FILE_BYTES = 4 * 1024 * 1024


class DiskTimes(NamedTuple):
    """How long the disk takes for the writes, in ms."""

    median_ms: float
    p99_ms: float


def measure_disk(seconds: float, folder: Path | None = None) -> DiskTimes:
    """Overwrite a file again and again, where the store of a measurement lies, and wait for the disk each time.

    folder: another place to write to.
    """
    times_ms: list[float] = []
    with tempfile.TemporaryFile(prefix="phoneterm-bridge-lab-", dir=folder) as file:
        file.write(bytes(_FILE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        started_s = time.monotonic()
        while len(times_ms) < 2 or time.monotonic() - started_s < seconds:
            os.pwrite(file.fileno(), _WRITTEN, len(times_ms) * len(_WRITTEN) % _FILE_BYTES)
            asked_s = time.perf_counter()
            os.fdatasync(file.fileno())
            times_ms.append((time.perf_counter() - asked_s) * 1000)
    return DiskTimes(median(times_ms), quantiles(times_ms, n=100)[98])
