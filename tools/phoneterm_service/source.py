"""What is to be installed: the wheel that this program lies in, or one that is built from its checkout.

Does not install it. A checkout is copied first, so that a build as root leaves nothing behind in it.
"""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from phoneterm_service.problem import ServiceProblem
from phoneterm_service.steps import run_step

_BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "tools", "firmware", "boards")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.egg-info")


@dataclass(frozen=True)
class Source:
    """A wheel, or the folder of a checkout, and the version in it."""

    path: Path
    version: str


def find_source(above: Path = Path(__file__).parents[1]) -> Source:
    """Return the source around this program; `above` is the folder or wheel that it lies in."""
    if above.is_file() and above.suffix == ".whl":
        return Source(above, above.name.split("-")[1])
    project = above.parent / "pyproject.toml"
    if above.name == "tools" and project.is_file():
        return Source(above.parent, tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    raise ServiceProblem(
        "Nothing to install lies around this program: start it from a wheel "
        "(python3 phoneterm-....whl/phoneterm_service) or from a checkout (python3 tools/phoneterm_service)."
    )


@contextmanager
def wheel_of(source: Source, python: Path) -> Iterator[Path]:
    """Give the source's wheel; `python` builds it if there is none, with packages that its pip fetches."""
    if source.path.is_file():
        yield source.path
        return
    with tempfile.TemporaryDirectory(prefix="phoneterm-wheel-") as folder:
        yield build_wheel(source.path, Path(folder), python)


def build_wheel(checkout: Path, folder: Path, python: Path, *options: str) -> Path:
    """Build the wheel of a checkout in a folder, and return it; `options` are pip's."""
    if not (checkout / "pyproject.toml").is_file():
        raise ServiceProblem(f"{checkout} is a wheel already; only one of a checkout can be built.")
    with tempfile.TemporaryDirectory(prefix="phoneterm-source-") as copy:
        for name in _BUILT_FROM:
            if (checkout / name).is_dir():
                shutil.copytree(checkout / name, Path(copy, name), ignore=_NOT_COPIED)
            else:
                shutil.copy(checkout / name, copy)
        run_step(
            "Building the wheel", python, "-m", "pip", "wheel", "--quiet", "--no-deps", *options, "-w", folder, copy
        )
    return next(folder.glob("phoneterm-*.whl"))
