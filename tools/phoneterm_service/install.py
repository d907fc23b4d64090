"""Installs the bridge as a service, or upgrades it while it runs. Does not choose what is installed; `source` does.

The new version is complete, and its program has read the settings, before the old bridge is stopped. Then the new
program upgrades the store, which makes a backup first, and the bridge is started again. If something goes wrong before
the store has changed, the old bridge goes on.
"""

import json
import shutil
from pathlib import Path

from phoneterm_service import places, program, system
from phoneterm_service.problem import ServiceProblem
from phoneterm_service.source import find_source
from phoneterm_service.steps import run_phoneterm

_NEXT = f"""\
Next: change {places.SETTINGS}, put the PBX's secret into {places.VARIABLES}
(a line PHONETERM_PBX__SECRET=...), ask `phoneterm doctor`, and start it: systemctl start phoneterm-bridge"""


def install(is_for_voipnow: bool = False) -> None:
    """Install the version around this program, whatever is installed already, and say what was done.

    is_for_voipnow: with what asks a VoipNow who is multi user aware; what the version in service has, the new one has.
    """
    system.check_system()
    system.check_unit()
    python = program.check_python()
    if program.is_foreign_command():
        raise ServiceProblem(f"Something else is at {places.COMMAND} already: move it away.")
    source = find_source()
    print(f"Installing version {source.version} into {places.PROGRAM} (about a minute) ...", flush=True)
    folder = program.make_version(source, python, is_for_voipnow or program.has_voipnow())
    try:
        system.make_user()
        system.make_folders()
        is_new = not places.SETTINGS.exists()
        comes_back = not is_new and not places.UNIT_FILE.exists()
        if is_new:
            run_phoneterm(folder, "bridge", "init", places.SETTINGS)
            places.VARIABLES.touch()
        paths = _read_paths(folder)
        system.admit_service([places.SETTINGS, places.VARIABLES, *paths.values()])
        _change_over(folder, paths["store.path"], comes_back)
    except ServiceProblem:
        if places.CURRENT.resolve() != folder:
            shutil.rmtree(folder)
        raise
    program.remove_other_versions(folder)
    print(f"Version {source.version} is installed; the service phoneterm-bridge is enabled", end="")
    print(" and runs." if system.is_wanted() else ".")
    if is_new:
        print(_NEXT)


def _read_paths(folder: Path) -> dict[str, Path]:
    """Return the files that the settings name; ServiceProblem when this version does not accept the settings."""
    settings = json.loads(run_phoneterm(folder, "config", "show", "--json", "--config", places.SETTINGS))["settings"]
    return {one["name"]: Path(one["value"]) for one in settings if one["name"].endswith("path") and one["value"]}


def _change_over(folder: Path, store: Path, comes_back: bool) -> None:
    """Put a version in service instead of the one that may be running."""
    was_wanted = system.is_wanted()
    if was_wanted:
        system.stop()
    try:
        system.own_data()
        if was_wanted and store.exists():
            print(run_phoneterm(folder, "store", "upgrade", "--config", places.SETTINGS).strip())
    except BaseException:  # Ctrl-C too
        if was_wanted:
            system.start()
        raise
    program.put_in_service(folder)
    said = system.install_unit(folder)
    if said:
        print(said)
    if was_wanted or comes_back:
        system.start()
