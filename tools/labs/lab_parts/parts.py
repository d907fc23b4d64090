"""Finds the real programs that tests and labs use: asterisk, sipp, mosquitto in two versions, a 32-bit MicroPython.

Does not install anything; `debian_root` does. A part on this machine's PATH is used as it is; otherwise the one in
the Debian root that `phoneterm parts install` makes is run there by chroot (which needs root). "mosquitto-2.0" is
Debian 12's version, always in a root of its own, because most mosquittos in use are 2.0. "micropython-32" is
MicroPython for i386, whose objects are as large as a chip's; its own loader starts it from its root, as any user.
"debian-server" is no program but a whole bare Debian 12.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from lab_parts.machine import Machine, this_machine

OLDER_MOSQUITTO = "mosquitto-2.0"
MICROPYTHON_32 = "micropython-32"
DEBIAN_SERVER = "debian-server"
NAMES = ("asterisk", "sipp", "mosquitto", OLDER_MOSQUITTO, MICROPYTHON_32, DEBIAN_SERVER)
OF_TESTS = (OLDER_MOSQUITTO, MICROPYTHON_32, DEBIAN_SERVER)  # parts that only the tests use; each has its own root
INSTALL_COMMAND = "phoneterm parts install"


class PartMissing(Exception):
    """A part is not on this machine; the sentence says what is missing and how to get it."""


@dataclass(frozen=True)
class Part:
    """One program: how to start it, and the root of its file system.

    argv: the words before the program's own arguments. root: the folder that the program sees as `/`.
    """

    name: str
    argv: tuple[str, ...]
    root: Path

    def make_folder(self) -> Path:
        """Make a new temporary folder that the program can see, and return its path for this process."""
        parent = self.root / "tmp"
        folder = Path(tempfile.mkdtemp(prefix=f"phoneterm-{self.name}-", dir=parent))
        folder.chmod(0o755)
        return folder

    def inside(self, path: Path) -> str:
        """Return the program's path for a path under `root`."""
        return "/" + str(path.relative_to(self.root))


def default_root() -> Path:
    """Return the folder of the Debian root: $PHONETERM_PARTS, or a folder in the user's cache."""
    named = os.environ.get("PHONETERM_PARTS")
    return Path(named) if named else Path(platformdirs.user_cache_dir("phoneterm")) / "parts"


def root_of(name: str) -> Path:
    """Return the folder of a part's root: the common one, or for the tests' parts one each beside it."""
    root = default_root()
    return root.with_name(f"{root.name}-{name}") if name in OF_TESTS else root


def find(name: str, machine: Machine | None = None) -> Part:
    """Return the part called `name` on a machine, by default on this one, or raise PartMissing."""
    machine = machine or this_machine()
    if name == MICROPYTHON_32:
        return _micropython_32(machine.processor)
    here = shutil.which(name, path=machine.search_path)
    if here:
        return Part(name, (here,), Path("/"))
    root = _ready_root(name)
    if not machine.is_root:
        raise PartMissing(f"{name} is in {root} and only root can run it there: run the command as root.")
    program = {OLDER_MOSQUITTO: ("mosquitto",), DEBIAN_SERVER: ()}.get(name, (name,))
    return Part(name, ("chroot", str(root), *program), root)


def _ready_root(name: str) -> Path:
    root = root_of(name)
    if not (root / ".ready").exists():
        command = f"{INSTALL_COMMAND} --tests" if name in OF_TESTS else INSTALL_COMMAND
        raise PartMissing(f"{name} is not on this machine: run '{command}' as root.")
    return root


def _micropython_32(processor: str) -> Part:
    """Return the command: the loader of its root with the libraries there, which needs no root rights."""
    if processor not in ("x86_64", "i686"):
        raise PartMissing(f"{MICROPYTHON_32} runs on x86 processors alone, and this one is {processor}.")
    root = _ready_root(MICROPYTHON_32)
    libraries = root / "usr" / "lib" / "i386-linux-gnu"
    argv = (str(libraries / "ld-linux.so.2"), "--library-path", str(libraries), str(root / "usr/bin/micropython"))
    return Part(MICROPYTHON_32, argv, Path("/"))
