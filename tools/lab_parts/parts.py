"""Finds the real servers and endpoints that tests and labs use: asterisk, sipp, and mosquitto in two versions.

Does not install anything; `debian_root` does. A part on this machine's PATH is taken as it is; otherwise the one in
the Debian root that `phoneterm parts install` makes, run there by chroot (which needs root). "mosquitto-2.0" is what
Debian 12 has, always in a root of its own, because most of the mosquittos in use are 2.0.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

OLDER_MOSQUITTO = "mosquitto-2.0"
NAMES = ("asterisk", "sipp", "mosquitto", OLDER_MOSQUITTO)
INSTALL_COMMAND = "phoneterm parts install"


class PartMissing(Exception):
    """A part is not on this machine; the sentence says what is missing and how to get it."""


@dataclass(frozen=True)
class Part:
    """One program: how to start it, and where it sees the file system from.

    argv: what to put in front of the program's own arguments. root: the folder that the program sees as `/`.
    """

    name: str
    argv: tuple[str, ...]
    root: Path

    def make_folder(self) -> Path:
        """Make a new temporary folder that the program can see, and return it as this process sees it."""
        parent = self.root / "tmp"
        folder = Path(tempfile.mkdtemp(prefix=f"phoneterm-{self.name}-", dir=parent))
        folder.chmod(0o755)
        return folder

    def inside(self, path: Path) -> str:
        """Return a path under `root` as the program sees it."""
        return "/" + str(path.relative_to(self.root))


def default_root() -> Path:
    """Return the folder of the Debian root: $PHONETERM_PARTS, or a folder in the user's cache."""
    named = os.environ.get("PHONETERM_PARTS")
    return Path(named) if named else Path(platformdirs.user_cache_dir("phoneterm")) / "parts"


def older_root() -> Path:
    """Return the folder of the root with the older mosquitto: beside the other one."""
    root = default_root()
    return root.with_name(f"{root.name}-{OLDER_MOSQUITTO}")


def find(name: str) -> Part:
    """Return the part called `name`, or raise PartMissing."""
    here = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if here:
        return Part(name, (here,), Path("/"))
    is_older = name == OLDER_MOSQUITTO
    root = older_root() if is_older else default_root()
    if not (root / ".ready").exists():
        command = f"{INSTALL_COMMAND} --tests" if is_older else INSTALL_COMMAND
        raise PartMissing(f"{name} is not on this machine: run '{command}' as root.")
    if os.geteuid() != 0:
        raise PartMissing(f"{name} is in {root} and only root can run it there: run the command as root.")
    return Part(name, ("chroot", str(root), "mosquitto" if is_older else name), root)
