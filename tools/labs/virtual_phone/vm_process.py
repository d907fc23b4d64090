"""Turns a fresh CPython process into MicroPython: `vm_process.py EXTENSION PARENT_PID [MicroPython's arguments]`.

Imports next to nothing, so that it starts within a few milliseconds.
"""

import os
import sys
from importlib import machinery, util

_LABS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(extension: str, arguments: list[str]) -> int:
    """Run MicroPython in this process and return its exit code."""
    loader = machinery.ExtensionFileLoader("micropython_run", extension)
    module = util.module_from_spec(machinery.ModuleSpec("micropython_run", loader, origin=extension))
    loader.exec_module(module)
    return int(module.run_main(["micropython", *arguments]))


if __name__ == "__main__":
    sys.path.insert(0, _LABS)
    from lab_parts.bound_process import die_with, go_first

    if not die_with(int(sys.argv[2])):
        sys.exit(1)
    go_first()
    sys.exit(run(sys.argv[1], sys.argv[3:]))
