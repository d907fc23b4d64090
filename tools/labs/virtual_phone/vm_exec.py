"""Becomes another program that dies with its parent: `vm_exec.py PARENT_PID PROGRAM [ARGUMENTS]`.

Does not import anything of this project, so that it starts within a few milliseconds. On Linux the kernel kills the
program when the parent dies, however that happens. The environment is handed on as it is; a shell in between would
drop the names with dots in them.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def become(parent_pid: int, argv: list[str]) -> None:
    """Replace this process; returns only when the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            return
    os.execv(argv[0], argv)  # noqa: S606 - without a shell is the point


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
    sys.exit(1)
