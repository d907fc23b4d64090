"""The files on a board: lists, reads, hashes, renames and removes them there. Does not decide which, or write contents.

Paths are relative to the root of the board's file system, with "/". Hashes are SHA-256 in hex.
"""

import ast
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from device_cable.cable import Cable

_WALK = """
import os
def walk(folder):
    for entry in (os.ilistdir(folder) if folder else os.ilistdir()):
        path = folder + "/" + entry[0] if folder else entry[0]
        if entry[1] & 0x4000:
            print(repr((path, None)))
            walk(path)
        else:
            print(repr((path, os.stat(path)[6])))
walk("")
"""
_READ = """
import binascii
with open(%r, "rb") as file:
    file.seek(%d)
    for _ in range(%d):
        print(binascii.hexlify(file.read(256)).decode())
"""
# What lies beside MicroPython's own modules may hide them, and a foreign boot.py may have loaded it already.
_IGNORE_MODULES = """
import sys
sys.path[:] = [place for place in sys.path if place not in ("", "/", "/lib")]
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", ".")
    if file[0] not in "/." or file[:5] == "/lib/":
        del sys.modules[name]
"""
_HASH = """
import hashlib, binascii
for path in %r:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(512))
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                break
            digest.update(buffer[:count])
    print(binascii.hexlify(digest.digest()).decode())
"""
_MAKE_FOLDERS = """
import os
for folder in %r:
    try:
        os.mkdir(folder)
    except OSError:
        if not os.stat(folder)[0] & 0x4000:
            raise
"""
_REPLACE = """
import os
def replace(paths, suffix):
    for path in paths:
        os.rename(path + suffix, path)
        print(path)
replace(%r, %r)
for path in %r:
    os.remove(path)
    print(path)
def sweep(folder):
    for entry in list(os.ilistdir(folder)):
        if entry[1] & 0x4000:
            sweep(folder + "/" + entry[0])
    if not os.listdir(folder):
        os.rmdir(folder)
for folder in %r:
    if folder in os.listdir():
        sweep(folder)
replace(%r, %r)
"""
_REMOVE = """
import os
def remove(path):
    if os.stat(path)[0] & 0x4000:
        for entry in list(os.ilistdir(path)):
            remove(path + "/" + entry[0])
        os.rmdir(path)
    else:
        os.remove(path)
    print(path)
for path in %r:
    remove(path)
"""
_READ_AT_ONCE = 8  # chunks of 256 bytes in one command: a serial port keeps some 4 KB that nobody has read yet
_REPLACED_S = 60.0  # a file system that must first search for room is slow
_HASHED_AT_ONCE = 8  # paths in one command; the board prints something after each


@dataclass(frozen=True)
class Listing:
    """What lies on a board: its files with their sizes in bytes, and its folders, also empty ones."""

    sizes: dict[str, int]
    folders: frozenset[str]

    def below(self, path: str) -> list[str]:
        """Return the file of this path, or all files in the folder of this path."""
        return [name for name in self.sizes if name == path or name.startswith(path + "/")]


def list_all(cable: Cable) -> Listing:
    """Return every file and folder on the board."""
    entries = dict(ast.literal_eval(line) for line in cable.run(_WALK).split("\n") if line.strip())
    sizes = {path: size for path, size in entries.items() if size is not None}
    return Listing(sizes, frozenset(entries.keys() - sizes.keys()))


def list_files(cable: Cable) -> dict[str, int]:
    """Return every file on the board with its size in bytes."""
    return list_all(cable).sizes


def read_file(cable: Cable, path: str) -> bytes:
    """Return the content of a file on the board."""
    content = b""
    while True:
        part = binascii.unhexlify("".join(cable.run(_READ % (path, len(content), _READ_AT_ONCE)).split()))
        if not part:
            return content
        content += part


def ignore_modules(cable: Cable) -> None:
    """Let the commands that follow find only the modules of MicroPython itself, whatever files are on the board."""
    cable.run(_IGNORE_MODULES)


def hash_files(cable: Cable, paths: Iterable[str]) -> dict[str, str]:
    """Return the hash of each of these files, which must be there."""
    hashes: dict[str, str] = {}
    wanted = list(paths)
    for start in range(0, len(wanted), _HASHED_AT_ONCE):
        part = wanted[start : start + _HASHED_AT_ONCE]
        hashes |= dict(zip(part, cable.run(_HASH % (part,)).split(), strict=True))
    return hashes


def make_folders(cable: Cable, paths: Iterable[str]) -> None:
    """Make the folders that these files lie in."""
    folders = folders_of(paths)
    if folders:
        cable.run(_MAKE_FOLDERS % (folders,))


def folders_of(paths: Iterable[str]) -> list[str]:
    """Return the folders that these files lie in, outer ones first."""
    folders: dict[str, None] = {}
    for path in paths:
        parts = path.split("/")[:-1]
        folders |= dict.fromkeys("/".join(parts[: index + 1]) for index in range(len(parts)))
    return list(folders)


def replace_files(
    cable: Cable,
    paths: Iterable[str],
    suffix: str,
    removed: Iterable[str],
    swept: Iterable[str] = (),
    last: Iterable[str] = (),
) -> None:
    """Rename PATH+suffix to PATH for each of `paths`, in this order, then remove others: all in one command.

    Then the folders `swept` are removed if they are empty: MicroPython takes even an empty one for a package. Finally
    the files `last` are renamed.
    The board prints each file's name, so that it does not seem dead when there are many.
    """
    cable.run(_REPLACE % (list(paths), suffix, list(removed), list(swept), list(last), suffix), _REPLACED_S)


def remove_all(cable: Cable, paths: Iterable[str]) -> None:
    """Remove these files, and these folders with all that is in them; the board prints the name of each."""
    wanted = list(paths)
    if wanted:
        cable.run(_REMOVE % (wanted,), _REPLACED_S)


def free_bytes(cable: Cable) -> tuple[int, int]:
    """Return (free bytes, bytes of one block) of the board's file system."""
    block, free = ast.literal_eval(
        cable.run("import os\ns = os.statvfs(os.getcwd())\nprint(repr((s[0], s[0] * s[3])))").strip()
    )
    return free, block
