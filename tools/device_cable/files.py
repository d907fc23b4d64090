"""The files on a board: lists, hashes, renames and removes them there. Does not decide which, or write contents.

Paths are relative to the root of the board's file system, with "/". Hashes are SHA-256 in hex.
"""

import ast
from collections.abc import Iterable

from device_cable.cable import Cable

_WALK = """
import os
def walk(folder):
    for entry in (os.ilistdir(folder) if folder else os.ilistdir()):
        path = folder + "/" + entry[0] if folder else entry[0]
        if entry[1] & 0x4000:
            walk(path)
        else:
            print(repr((path, os.stat(path)[6])))
walk("")
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
for path in %r:
    os.rename(path + %r, path)
    print(path)
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
"""
_REPLACED_S = 60.0  # a file system that must first search for room is slow
_HASHED_AT_ONCE = 8  # paths in one command; the board prints something after each


def list_files(cable: Cable) -> dict[str, int]:
    """Return every file on the board with its size in bytes."""
    return dict(ast.literal_eval(line) for line in cable.run(_WALK).split("\n") if line.strip())


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
    folders: dict[str, None] = {}
    for path in paths:
        parts = path.split("/")[:-1]
        folders |= dict.fromkeys("/".join(parts[: index + 1]) for index in range(len(parts)))
    if folders:
        cable.run(_MAKE_FOLDERS % (list(folders),))


def replace_files(
    cable: Cable, paths: Iterable[str], suffix: str, removed: Iterable[str], swept: Iterable[str] = ()
) -> None:
    """Rename PATH+suffix to PATH for each of `paths`, in this order, then remove others: all in one command.

    Finally the folders `swept` are removed if they are empty: MicroPython takes even an empty one for a package.
    The board prints each file's name, so that it does not seem dead when there are many.
    """
    cable.run(_REPLACE % (list(paths), suffix, list(removed), list(swept)), _REPLACED_S)


def free_bytes(cable: Cable) -> tuple[int, int]:
    """Return (free bytes, bytes of one block) of the board's file system."""
    block, free = ast.literal_eval(
        cable.run("import os\ns = os.statvfs(os.getcwd())\nprint(repr((s[0], s[0] * s[3])))").strip()
    )
    return free, block
