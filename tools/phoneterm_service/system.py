"""The system around the service: systemd, the service's user, who may read which file. Does not install the program."""

import grp
import os
import pwd
import shutil
from collections.abc import Iterable
from pathlib import Path

from phoneterm_service import places
from phoneterm_service.problem import ServiceProblem
from phoneterm_service.steps import run_step, succeeds

_MARK = b"# Written by phoneterm_service"
_PRIVATE = Path("/var/lib/private")  # where systemd puts the data of a service with a dynamic user


def check_system() -> None:
    """Refuse a system without systemd, and anybody but root."""
    if os.geteuid() != 0:
        raise ServiceProblem("Only root can install or remove a service: sudo, and the same command.")
    if not Path("/run/systemd/system").is_dir():
        raise ServiceProblem("This system was not started by systemd, so it can have no service of systemd.")


def check_unit() -> None:
    """Refuse a unit that somebody has masked: what is written there would go to the device behind the link."""
    if places.UNIT_FILE.exists() and not places.UNIT_FILE.is_file():
        raise ServiceProblem(
            f"{places.UNIT_FILE} is no file: the service is masked. Let it run again: systemctl unmask {places.UNIT}"
        )


def make_user() -> None:
    """Make the service's user and group, unless they are there."""
    try:
        pwd.getpwnam(places.USER)
    except KeyError:
        run_step(
            f"Making the user {places.USER}", "useradd", "--system", "--user-group", "--home-dir", places.DATA,
            "--no-create-home", "--shell", "/usr/sbin/nologin", places.USER,
        )  # fmt: skip


def make_folders() -> None:
    """Make the folder of the settings, which root owns and the service reads, and that of the data, which is its own.

    New files in the first belong to the service's group, whatever makes them.
    """
    places.SETTINGS_FOLDER.mkdir(parents=True, exist_ok=True)
    _give(places.SETTINGS_FOLDER, 0o2750)
    if not places.DATA.is_symlink():  # otherwise of a service with a dynamic user, which may be running
        places.DATA.mkdir(parents=True, exist_ok=True)


def admit_service(files: Iterable[Path]) -> None:
    """Let the service read these files; links, and files elsewhere, stay as they are."""
    for path in files:
        if path.is_file() and not path.is_symlink() and path.is_relative_to(places.SETTINGS_FOLDER):
            _give(path, 0o640)


def own_data() -> None:
    """Give all data to the service, which must not run; those of a service with a dynamic user are moved first."""
    if places.DATA.is_symlink() and places.DATA.resolve() == _PRIVATE / places.DATA.name:
        places.DATA.unlink()
        (_PRIVATE / places.DATA.name).rename(places.DATA)
    user = pwd.getpwnam(places.USER)
    for folder, _, names in os.walk(places.DATA):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    places.DATA.chmod(0o700)


def is_wanted() -> bool:
    """Return whether the service runs, or should: also if it has failed, or is about to be tried again."""
    state = run_step("Asking for the service", "systemctl", "show", "-p", "ActiveState", "--value", places.UNIT)
    return state.strip() != "inactive"


def start() -> None:
    """Start the service, and wait until it says that it is ready."""
    if not succeeds("systemctl", "restart", places.UNIT):
        raise ServiceProblem(f"The service does not start; journalctl -u {places.UNIT.partition('.')[0]} says why.")


def stop() -> None:
    """Stop the service and wait for its end."""
    run_step("Stopping the service", "systemctl", "stop", places.UNIT)


def install_unit(program: Path) -> str:
    """Install the unit of a version and enable it. Return a sentence about another one that was there, or nothing."""
    unit = next(program.glob(f"lib/python3*/site-packages/phoneterm_bridge/systemd/{places.UNIT}"))
    before = ""
    if places.UNIT_FILE.is_file() and not places.UNIT_FILE.read_bytes().startswith(_MARK):
        kept = places.UNIT_FILE.with_suffix(".service.before")
        places.UNIT_FILE.rename(kept)
        before = f"The unit that was there before is kept as {kept}: what you had changed in it, change again by "
        before += f"systemctl edit {places.UNIT.partition('.')[0]}."
    shutil.copyfile(unit, places.UNIT_FILE)
    places.UNIT_FILE.chmod(0o644)
    run_step("Reading the unit", "systemctl", "daemon-reload")
    run_step("Enabling the service", "systemctl", "enable", places.UNIT)
    return before


def remove_unit() -> None:
    """Stop the service and remove its unit."""
    succeeds("systemctl", "disable", "--now", places.UNIT)
    places.UNIT_FILE.unlink(missing_ok=True)
    run_step("Reading the units", "systemctl", "daemon-reload")
    succeeds("systemctl", "reset-failed", places.UNIT)


def _give(path: Path, mode: int) -> None:
    """Give a file or folder to root and the service's group."""
    os.chown(path, 0, grp.getgrnam(places.USER).gr_gid)
    path.chmod(mode)
