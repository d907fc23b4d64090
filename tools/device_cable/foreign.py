"""Finds what on a board is not the terminal's and stands in its way, and saves it on this computer.

Does not ask or remove anything. In the way are: a file of somebody else under a name that the terminal needs, a folder
where a file must be and the other way round, and a file or folder that hides a module which the firmware imports.
MicroPython looks for a module in the root of the file system first, and for a folder before a file. Everything else on
the board stays.
"""

import hashlib
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device_cable import files
from device_cable.cable import Cable
from device_cable.files import Listing
from device_cable.image import FIRMWARE, MANIFEST, Image
from device_cable.installed import NEW, Installed
from device_cable.problem import CableProblem

# What the firmware, and the modules of MicroPython that it uses, import from MicroPython.
MICROPYTHON_MODULES = (
    "array", "asyncio", "binascii", "collections", "errno", "esp32", "framebuf", "gc", "hashlib", "hmac", "io", "json",
    "machine", "micropython", "network", "ntptime", "os", "random", "select", "socket", "ssl", "struct", "sys", "time",
    "tls", "umqtt",
)  # fmt: skip
_FROZEN = ("asyncio", "ntptime", "umqtt")  # these it finds before it looks into lib/
# The boot.py that MicroPython makes on an empty ESP32, comments alone: its size, and its SHA-256.
STOCK_BOOT_BYTES = 139
_STOCK_BOOT = "16f5b4bcb120e9a032242b47967e649a0cc577b41939e81ef7d4b4da181bd17f"
_HIDING = ("", ".py", ".mpy")
_NOT_OURS = "is not the terminal's"


@dataclass(frozen=True)
class Foreign:
    """What is in the way: path of a file or folder -> why; and all the files in it, with their sizes."""

    reasons: dict[str, str]
    sizes: dict[str, int]


def find_foreign(there: Listing, image: Image, hashes: dict[str, str], installed: Installed) -> Foreign:
    """Return what is in the way of an image; `hashes`: those of the board's files, as far as they were computed."""
    reasons: dict[str, str] = {}
    for path in (*image.contents, MANIFEST):
        for part in files.folders_of([path]):
            if part in there.sizes:
                reasons[part] = "a file where a folder must be"
        for needed in (path, path + NEW):
            if needed in there.folders:
                reasons[needed] = "a folder where a file must be"
        is_same = path in image.hashes and hashes.get(path) in (image.hashes[path], _STOCK_BOOT)
        if path in there.sizes and path not in installed.paths and not is_same:
            reasons[path] = _NOT_OURS
    if not installed.has_manifest:
        left = set(image.contents) | {path + NEW for path in image.contents}
        reasons |= {path: _NOT_OURS for path in there.sizes if path.startswith(FIRMWARE) and path not in left}
    for path, module in _hiding(image).items():
        if path in there.folders or (path in there.sizes and path not in installed.paths):
            reasons[path] = f"hides the module {module}"
    inside = {path for path in reasons if any(parent in reasons for parent in files.folders_of([path]))}
    reasons = {path: reason for path, reason in sorted(reasons.items()) if path not in inside}
    return Foreign(reasons, {name: there.sizes[name] for path in reasons for name in there.below(path)})


def save(cable: Cable, foreign: Foreign, folder: Path, on_saved: Callable[[str], None]) -> None:
    """Copy the files to a folder on this computer, each proven by its hash; `on_saved` gets each path."""
    hashes = files.hash_files(cable, foreign.sizes)
    for path in foreign.sizes:
        content = files.read_file(cable, path)
        if hashlib.sha256(content).hexdigest() != hashes[path]:
            raise CableProblem(
                f"The file {path} of the board did not arrive as it is: check the cable, run the same command again. "
                "Nothing was changed on the board."
            )
        try:
            where = folder / urllib.parse.quote(path, safe="/ ")
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)
        except OSError as error:
            raise CableProblem(
                f"The board's file {path} cannot be saved in {folder}: {error.strerror}. Nothing was changed on the "
                "board."
            ) from None
        on_saved(path)


def _hiding(image: Image) -> dict[str, str]:
    """Return every path that would hide a module, with the module's name."""
    hiding = {
        f"{place}{module}{ending}": module
        for module in MICROPYTHON_MODULES for place in ("", "lib/") for ending in _HIDING
        if f"{place}{module}{ending}" not in image.contents and not (place and module in _FROZEN)
    }  # fmt: skip
    for path in image.contents:
        name, _, ending = path.partition(".")
        if "/" not in path and ending in ("py", "mpy"):
            hiding |= {name: name} | ({f"{name}.py": name} if ending == "mpy" else {})
    for path in image.frozen:
        name = path.partition(".")[0]
        if "/" not in path:
            hiding |= {name + ending: name for ending in _HIDING}
    return hiding
