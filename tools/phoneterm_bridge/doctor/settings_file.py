"""The settings: who may read the file, and secrets that are too weak. Does not check values; loading them does."""

import stat
from pathlib import Path

from phoneterm_bridge.broker.mosquitto_config import LEAST_PASSWORD_CHARS
from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.loopback import is_loopback
from phoneterm_bridge.settings.place import variables_beside
from phoneterm_bridge.store.private_files import mode_of_settings

_PART = "settings"
_EVERYBODY_ELSE = stat.S_IRWXG | stat.S_IRWXO


def examine_settings(settings: BridgeSettings, config: Path | None) -> list[Finding]:
    """Check the settings file, the secrets, and the connections that carry them."""
    return [*_examine_file(config), *_examine_secrets(settings, config)]


def is_open_to_others(path: Path) -> bool:
    """Say whether anybody but the owner may read or write a file."""
    return bool(path.stat().st_mode & _EVERYBODY_ELSE)


def _is_open_beyond_its_group(path: Path) -> bool:
    """Say whether a file is open to more than its folder says: to its owner, and to the group if the folder is its."""
    file, folder = path.stat(), path.absolute().parent
    is_folders = file.st_gid == folder.stat().st_gid
    return is_open_to_others(path) and not (is_folders and not file.st_mode & ~mode_of_settings(folder) & 0o777)


def _examine_file(config: Path | None) -> list[Finding]:
    if config is None:
        return [Finding(OK, _PART, "There is no settings file: defaults, the environment and the command line count.")]
    found = []
    for file in (config, variables_beside(config)):
        if file.exists() and _is_open_beyond_its_group(file):
            fix = Change("command line", f"chmod {mode_of_settings(file.absolute().parent):o} {file}")
            found.append(
                Finding(WARNING, _PART, f"Others, not only its owner, can read the settings file {file}.", fix)
            )
    readers = "its owner and its group" if config.stat().st_mode & stat.S_IRGRP else "its owner"
    return found or [Finding(OK, _PART, f"Only {readers} can read the settings file {config}.")]


def _examine_secrets(settings: BridgeSettings, config: Path | None) -> list[Finding]:
    found: list[Finding] = []
    place = "environment of the bridge" if config is None else str(variables_beside(config))
    if settings.pbx.kind == "voipnow":
        return found + _examine_password(settings, place)
    if not settings.pbx.secret.get_secret_value():
        fix = Change(place, "PHONETERM_PBX__SECRET=...")
        found.append(Finding(PROBLEM, _PART, "The setting pbx.secret is empty, so no PBX lets the bridge in.", fix))
    if not settings.pbx.tls and not is_loopback(settings.pbx.host):
        fix = Change("settings, section [pbx]", "tls = true   # and manager.conf: tlsenable = yes, port 5039")
        sentence = f"The bridge speaks to the PBX {settings.pbx.host} in the clear: calls and numbers can be read."
        found.append(Finding(WARNING, _PART, sentence, fix))
    return found + _examine_password(settings, place)


def _examine_password(settings: BridgeSettings, place: str) -> list[Finding]:
    password = settings.broker.password.get_secret_value()
    if not settings.broker.embedded and len(password) < LEAST_PASSWORD_CHARS:
        fix = Change(place, "PHONETERM_BROKER__PASSWORD=...")
        sentence = f"The bridge's password at the broker has fewer than {LEAST_PASSWORD_CHARS} characters."
        return [Finding(WARNING, _PART, sentence, fix)]
    return []
