"""Where the settings file is: every command looks in the same places, in the same order. Does not read it.

The order is: the file that --config or PHONETERM_CONFIG names; the one in the working folder; the service's, in
/etc/phoneterm. Errors are SetupProblem.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.settings.variables import CONFIG

HERE = Path("phoneterm.toml")
SYSTEM = Path("/etc/phoneterm/bridge.toml")
SYSTEM_STORE = Path("/var/lib/phoneterm/phoneterm.db")
STORE_BESIDE = Path("state/phoneterm.db")


class Place(NamedTuple):
    """The settings file (None: there is none), and why it is this one."""

    path: Path | None
    why: str


def find_place(
    named: Path | None, environment: Mapping[str, str] = os.environ, folder: Path = Path(), system: Path = SYSTEM
) -> Place:
    """Return the settings file that counts; if it is named, it need not exist."""
    if named is not None:
        return _name_place(named, "--config")
    if environment.get(CONFIG):
        return _name_place(Path(environment[CONFIG]), CONFIG)
    if _is_there(folder / HERE):
        for path in (folder / HERE, variables_beside(folder / HERE)):
            _refuse_somebody_elses(path, environment)
        return Place(folder / HERE, "found in the working folder")
    if _is_there(system):
        return Place(system, f"found there, without --config, {CONFIG} or a {HERE} in the working folder")
    return Place(None, f"no --config, no {CONFIG}, no {HERE} in the working folder, no {system}")


def place_to_write(environment: Mapping[str, str] = os.environ, folder: Path = Path(), system: Path = SYSTEM) -> Path:
    """Return where to put a new settings file so that every command finds it."""
    if environment.get(CONFIG):
        return Path(environment[CONFIG])
    return system if os.access(system.parent, os.W_OK) else folder / HERE


def default_store(path: Path | None, environment: Mapping[str, str] = os.environ, system: Path = SYSTEM) -> Path:
    """Return where the store is if no setting names it: beside the settings file; the service's has a place of its own.

    A unit that was made by hand may let the service read a copy, in systemd's folder for credentials.
    """
    if path is None:
        return STORE_BESIDE
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if path == system or (credentials and path.parent == Path(credentials)):
        return SYSTEM_STORE
    return path.parent / STORE_BESIDE


def variables_beside(path: Path) -> Path:
    """Return where the variables of a settings file are: bridge.env beside bridge.toml."""
    return path.with_suffix(".env")


def _name_place(path: Path, by: str) -> Place:
    if not path.name:
        raise SetupProblem(f"The settings file {path}, named by {by}, is no file.")
    return Place(path, f"named by {by}")


def _refuse_somebody_elses(path: Path, environment: Mapping[str, str]) -> None:
    """Refuse a file, or a link to one, that nobody has named and that another user has put there.

    It could send root's work anywhere.
    """
    sudo = environment.get("SUDO_UID", "")
    trusted = {0, os.geteuid()} | ({int(sudo)} if sudo.isascii() and sudo.isdecimal() else set())
    try:
        owners = {path.lstat().st_uid, path.stat().st_uid}
    except OSError:  # reading it says why, if it is there
        return
    if not owners <= trusted:
        name = "it" if path.suffix == HERE.suffix else HERE
        raise SetupProblem(
            f"The settings file {path} belongs to another user: name {name} with --config if it is meant."
        )


def _is_there(path: Path) -> bool:
    """Return whether there is a file, or a link to nowhere; also True if its folder cannot be searched.

    In the latter cases reading the file will say so.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        return True
    return True
