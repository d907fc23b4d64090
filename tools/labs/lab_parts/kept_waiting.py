"""How long this computer kept a process from running, by the kernel's word.

Does not judge what that excuses. Reads Linux's /proc/PID/schedstat, and /proc/stat for the time that a virtual machine
itself had to wait. Times are milliseconds.
"""

import os
from pathlib import Path

# Three looks more than 60 ms apart are a stall for the firmware; its own are at most 40 ms apart on a slow computer.
LEAST_WAIT_MS = 20
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def kept_waiting_ms(pid: int) -> float:
    """Return how long a process has been kept from running since it started, and this computer since its start."""
    queued_ns = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    stolen_ticks = int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])
    return queued_ns / 1e6 + stolen_ticks * _TICK_MS
