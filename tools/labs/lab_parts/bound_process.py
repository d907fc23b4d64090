"""Turns a fresh CPython process into another program: `bound_process.py PARENT_PID PROGRAM [ARGUMENTS]`.

Imports next to nothing, so that it starts within a few milliseconds. The environment is passed on unchanged; a shell in
between would drop the names with dots in them.
"""

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
FIRST_IN_LINE = -10  # as niceness goes


def die_with(parent_pid: int) -> bool:
    """Have the kernel kill this process when its parent dies, however that happens (Linux); False: it is dead."""
    if sys.platform != "linux":
        return True
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent_pid


def go_first() -> None:
    """Run before others of the same session, where that is permitted (root): a chip has its processor to itself.

    Linux may share the processor by sessions first. The niceness of a session is for those who make it: this process
    may be in one with others.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST_IN_LINE)


def become(parent_pid: int, command: list[str]) -> None:
    """Become the program; it keeps the open files and the bond to the parent. Returns if the parent is dead."""
    if die_with(parent_pid):
        go_first()
        os.execvp(command[0], command)  # noqa: S606 - a shell would come between this program and its parent


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
    sys.exit(1)
