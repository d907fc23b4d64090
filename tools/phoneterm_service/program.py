"""The program in /opt/phoneterm: each version in an environment of its own, and a link to the one in service.

Does not touch the service, settings or data. A version is complete before the link points to it, so whatever goes wrong
before leaves the one in service as it was.
"""

import os
import pkgutil
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from phoneterm_service import places
from phoneterm_service.problem import ServiceProblem
from phoneterm_service.source import Source, wheel_of
from phoneterm_service.steps import run_step

_LOCK = "bridge.lock"  # the packages that the bridge needs, with their hashes
_VOIPNOW_LOCK = "voipnow.lock"  # these, and those that ask a VoipNow who is multi user aware
_HIDDEN_FROM_THE_SERVICE = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - see the unit
_PARTS = ("bin", "include", "lib", "lib64", "pyvenv.cfg", "share")  # of an environment that was made by hand


def check_python() -> Path:
    """Return the Python for the service; ServiceProblem when the one that runs this cannot be it."""
    python = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    if str(python).startswith(tuple(f"{folder}/" for folder in _HIDDEN_FROM_THE_SERVICE)):
        raise ServiceProblem(f"A service cannot see {python}: start this with the system's Python, /usr/bin/python3.")
    if find_spec("ensurepip") is None:
        raise ServiceProblem("This Python makes no environments: apt-get install python3-venv")
    return python


def has_voipnow() -> bool:
    """Return whether the version in service has what asks a VoipNow who is multi user aware."""
    return any(places.CURRENT.glob("lib/python3*/site-packages/zeep"))


def make_version(source: Source, python: Path, is_for_voipnow: bool = False) -> Path:
    """Install a source into a new folder, which is not in service yet, and return the folder."""
    folder = _name_folder(source.version)
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = folder.with_suffix(".lock")
    try:
        run_step("Making an environment", python, "-m", "venv", folder)
        pip = (folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
        lock.write_bytes(pkgutil.get_data("phoneterm_service", _VOIPNOW_LOCK if is_for_voipnow else _LOCK) or b"")
        run_step("Installing the packages", *pip, "--require-hashes", "-r", lock)
        with wheel_of(source, folder / "bin" / "python") as wheel:
            run_step(f"Installing {wheel.name}", *pip, wheel)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        lock.unlink(missing_ok=True)
    return folder


def put_in_service(folder: Path) -> None:
    """Let the links point to a version."""
    _replace_link(places.CURRENT, Path(folder.name))
    places.COMMAND.parent.mkdir(parents=True, exist_ok=True)
    _replace_link(places.COMMAND, places.CURRENT / "bin" / "phoneterm")


def is_foreign_command() -> bool:
    """Return whether something else is where the link to the command belongs."""
    if not places.COMMAND.is_symlink():
        return places.COMMAND.exists()
    return not places.COMMAND.readlink().is_relative_to(places.PROGRAM)


def remove_other_versions(kept: Path) -> None:
    """Remove every version but one, and what was installed there by hand."""
    for folder in places.PROGRAM.iterdir():
        if folder not in (kept, places.CURRENT) and ((folder / "pyvenv.cfg").is_file() or folder.name in _PARTS):
            _remove(folder)


def remove_program() -> None:
    """Remove all versions and the links to them."""
    if not is_foreign_command():
        places.COMMAND.unlink(missing_ok=True)
    _remove(places.PROGRAM)


def _name_folder(version: str) -> Path:
    """Return a new name for a version's folder: a version may be installed again."""
    number = 1
    while (folder := places.PROGRAM / f"{version}-{number}").exists():
        number += 1
    return folder


def _replace_link(link: Path, target: Path) -> None:
    """Make a link, or let it point elsewhere; there is no moment without it."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
