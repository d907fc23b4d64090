"""Fetches the MQTT clients that ours is compared with, into a temporary folder.

Does not install them or make them a dependency. A peer that cannot be fetched is left out of the table.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

_CHUMICRO = ("chumicro-mqtt", "chumicro-sockets", "chumicro-timing", "chumicro-config")
_UMQTT = "micropython-umqtt.simple"


def fetch_chumicro(folder: Path) -> Path | None:
    """Return a folder with chumicro-mqtt and what it needs, or None."""
    if _download(folder, *_CHUMICRO).returncode != 0:
        return None
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def fetch_umqtt(folder: Path) -> Path | None:
    """Return a folder with umqtt.simple, or None.

    Its archive has no setup.py, so pip fails after unpacking it; the unpacked files are enough.
    """
    _download(folder, _UMQTT, "--no-clean")
    found = next(folder.rglob("umqtt/simple.py"), None)
    return found.parents[1] if found else None


def _download(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *arguments]
    return subprocess.run(command, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, check=False)
