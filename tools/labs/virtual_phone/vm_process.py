"""Turns a fresh CPython process into MicroPython: `vm_process.py EXTENSION PARENT_PID [MicroPython's arguments]`.

Does not import anything from this project, so that it starts within a few milliseconds. On Linux the kernel kills this
process when its parent dies, however that happens.
"""

import ctypes
import os
import signal
import sys
from importlib import machinery, util

_PR_SET_PDEATHSIG = 1
_NICENESS = -15


def run(extension: str, parent_pid: int, arguments: list[str]) -> int:
    """Run MicroPython in this process and return its exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            return 1
    _go_first()
    loader = machinery.ExtensionFileLoader("micropython_run", extension)
    module = util.module_from_spec(machinery.ModuleSpec("micropython_run", loader, origin=extension))
    loader.exec_module(module)
    return int(module.run_main(["micropython", *arguments]))


def _go_first() -> None:
    """Run before others: a chip has its processor to itself, and a busy computer should not stall it."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    except OSError:
        return  # only root may do this


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
