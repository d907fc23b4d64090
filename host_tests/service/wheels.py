"""Wheels to install without a network: the packages that the bridge needs, this project, and a later version of it.

The packages, and setuptools to build the project with, are fetched once, by their hashes, and kept beside the labs'
parts.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bridge.later_version import write_migration
from lab_parts.parts import default_root
from phoneterm_service.source import build_wheel

CHECKOUT = Path(__file__).parents[2]
LOCK = CHECKOUT / "tools" / "phoneterm_service" / "bridge.lock"
VOIPNOW_LOCK = LOCK.with_name("voipnow.lock")
_ALL_LOCKED = CHECKOUT / "requirements.lock"
LATER = "99.0.0"
_PYTHON = "3.11"  # of Debian 12


def fetch_packages():
    """Return the folder with the wheels of all packages in both locks of the bridge, for the Python of Debian 12."""
    parts = default_root()
    locked = (
        VOIPNOW_LOCK.read_text() + re.search(r"^setuptools==.*\n( .*\n)+", _ALL_LOCKED.read_text(), re.MULTILINE)[0]
    )
    digest = hashlib.sha256(locked.encode()).hexdigest()[:12]
    folder = parts.with_name(f"{parts.name}-wheels-{digest}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = folder.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            (new / "all.lock").write_text(locked)
            command = [
                sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
                "--only-binary", ":all:", "--python-version", _PYTHON, "-d", str(new), "-r", str(new / "all.lock"),
            ]  # fmt: skip
            subprocess.run(command, check=True, timeout=110, stderr=subprocess.DEVNULL)
            new.rename(folder)
    return folder


def build(folder):
    """Build the wheel of this checkout in a folder, and return it."""
    return build_wheel(CHECKOUT, folder, Path(sys.executable), "--no-build-isolation")


def build_later(folder, scratch):
    """Build the wheel of a later version, whose store has one more migration, and return it."""
    for name in ("tools", "firmware", "boards"):
        shutil.copytree(CHECKOUT / name, scratch / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, scratch)
    text = (CHECKOUT / "pyproject.toml").read_text()
    (scratch / "pyproject.toml").write_text(text.replace('\nversion = "', f'\nversion = "{LATER}"  # "', 1))
    write_migration(scratch / "tools" / "phoneterm_bridge")
    return build_wheel(scratch, folder, Path(sys.executable), "--no-build-isolation")


def build_commit(commit, folder, scratch):
    """Build the wheel of an earlier commit, and return it; CalledProcessError if the history does not have it."""
    subprocess.run(["git", "-C", CHECKOUT, "archive", "-o", scratch / "commit.tar", commit], check=True)
    shutil.unpack_archive(scratch / "commit.tar", scratch)
    return build_wheel(scratch, folder, Path(sys.executable), "--no-build-isolation")
