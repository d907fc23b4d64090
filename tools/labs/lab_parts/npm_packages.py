"""Finds what the console takes from npm as the lock file names it, for the tests, and fetches it. Changes no checkout.

npm itself compares each package with the lock's hash. Whoever uses the console needs none of this: what it takes is in
the checkout and in the wheel.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from lab_parts.parts import INSTALL_COMMAND, PartMissing, default_root

PACKAGE = Path(__file__).parents[2] / "phoneterm_bridge" / "console"
_NAMES = ("package.json", "package-lock.json")


def find() -> Path:
    """Return the folder node_modules, or raise PartMissing."""
    folder = _folder() / "node_modules"
    if not folder.is_dir():
        raise PartMissing(f"The packages of npm are not on this machine: run '{INSTALL_COMMAND} --tests'.")
    return folder


def install() -> None:
    """Fetch them unless they are there; PartMissing says why they still are not."""
    folder = _folder()
    if (folder / "node_modules").is_dir():
        return
    if shutil.which("npm") is None:
        subprocess.run(["apt-get", "install", "-y", "-q", "npm"], capture_output=True, check=False)
    place = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in _NAMES:
        shutil.copy(PACKAGE / name, place)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        last = (done.stderr.strip() or "it does not say why").splitlines()[-1]
    except OSError as error:
        last = f"npm does not start: {error.strerror}"
    if not (place / "node_modules").is_dir():
        raise PartMissing(f"The packages of npm could not be fetched: {last[:200]}")
    place.rename(folder)


def _folder() -> Path:
    """Return the folder for exactly this lock."""
    lock = hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()[:12]
    root = default_root()
    return root.with_name(f"{root.name}-npm-{lock}")
