"""Becomes another program that dies with its parent: `vm_exec.py PARENT_PID PROGRAM [ARGUMENTS]`.

Does not import anything from this project, so that it starts within a few milliseconds. On Linux the kernel kills the
program when the parent dies, however that happens. The environment is passed on unchanged; a shell in between would
drop the names with dots in them.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_NICENESS = -15


def become(parent_pid: int, argv: list[str]) -> None:
    """Replace this process; returns only if the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            return
    _go_first()
    os.execv(argv[0], argv)  # noqa: S606 - deliberately without a shell


def _go_first() -> None:
    """Run before others: a chip has its processor to itself, and a busy computer should not stall it."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    except OSError:
        return  # only root may do this


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
    sys.exit(1)
