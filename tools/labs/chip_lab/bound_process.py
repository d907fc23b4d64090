"""Turns a fresh CPython process into another program: `bound_process.py PARENT_PID PROGRAM [ARGUMENTS]`.

Does not import anything from this project, so that it starts within a few milliseconds. On Linux the kernel kills the
program when the parent dies, however that happens.
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_FIRST_IN_LINE = -10


def run(parent_pid: int, command: list[str]) -> None:
    """Become the program; it keeps the open files and the bond to the parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            sys.exit(1)
    # The chip's two cores wait for each other at every access to the flash: on a busy computer that takes seconds.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST_IN_LINE)
    with contextlib.suppress(OSError):  # Linux may share time by sessions first; this process has its own
        Path("/proc/self/autogroup").write_text(str(_FIRST_IN_LINE))
    os.execvp(command[0], command)  # noqa: S606 - a shell would come between this program and its parent


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2:])
