"""Somebody reads what bridge and broker have written: no password is in it, and nobody else may read it."""

from pathlib import Path

from attack_lab.probe import Probe
from attack_lab.site import Site

_OTHERS = 0o077


class ReadSecrets(Probe):
    """See `sentence`."""

    name = "read secrets"
    sentence = "the terminals' passwords in the store, its logs, mosquitto's files; files that others may read"

    async def run(self, site: Site) -> str | None:
        """Read all files after logins."""
        scene = await site.open()
        for enrolment in (scene.enrolment, scene.other):
            await (await scene.terminal(enrolment)).hello()
        folders = [scene.settings.store.path.parent, *([scene.mosquitto.folder] if scene.mosquitto else [])]
        for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
            if trouble := _find_secret(path, [scene.enrolment.mqtt_password, scene.other.mqtt_password]):
                return trouble
        return None


def _find_secret(path: Path, passwords: list[str]) -> str | None:
    content = path.read_bytes()
    if any(password.encode() in content for password in passwords):
        return f"{path.name} has a terminal's password"
    is_open = path.stat().st_mode & _OTHERS and path.name != "log"  # mosquitto's output, which the test has opened
    return f"others may read {path.name}" if is_open else None
