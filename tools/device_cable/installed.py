"""Which firmware lies on a board, according to the manifest there, and which of the board's files are therefore ours.

Does not compare contents or change anything. While a flash is under way a second manifest lies beside the first, and
the files of both are ours. A file named manifest.json that is not in the form of the build's belongs to somebody else.
"""

import json
from dataclasses import dataclass
from typing import Any

from device_cable import files
from device_cable.board import Board
from device_cable.cable import Cable
from device_cable.files import Listing
from device_cable.image import FIRMWARE, MANIFEST
from device_cable.problem import CableProblem

NEW = ".new"
_LARGEST_BYTES = 64 * 1024  # ours has some 8 KB


@dataclass(frozen=True)
class Installed:
    """The paths of our files on a board; `has_manifest`: at least one manifest of ours is there."""

    paths: frozenset[str]
    has_manifest: bool


def read_installed(cable: Cable, there: Listing) -> Installed:
    """Return which of the board's files are ours."""
    listed: set[str] = set()
    has_manifest = False
    for path in (MANIFEST, MANIFEST + NEW):
        names = _read_manifest(cable, there, path)
        if names is not None:
            has_manifest = True
            listed |= names | {MANIFEST}
    if has_manifest:
        listed |= {path for path in there.sizes if path.startswith(FIRMWARE)}
    return Installed(frozenset(listed | {path + NEW for path in listed}), has_manifest)


def check_installed(cable: Cable, board: Board, name: str) -> None:
    """Refuse a board that has no firmware to be provisioned, or only a part of it."""
    there = files.list_all(cable)
    listed = _read_manifest(cable, there, MANIFEST)
    if listed is None and board.frozen_version is None:
        raise CableProblem(_first(cable, name, "has no firmware of a terminal"))
    missing = sorted((listed or set()) - there.sizes.keys())
    if missing:
        raise CableProblem(_first(cable, name, f"lacks a part of its firmware ({missing[0]})"))


def _first(cable: Cable, name: str, what: str) -> str:
    return f"The board at {cable.port} {what}: make flash BOARD={name} PORT={cable.port} first. Nothing was written."


def _read_manifest(cable: Cable, there: Listing, path: str) -> set[str] | None:
    """Return the files that a manifest of ours lists; None where there is none of ours."""
    if not 0 < there.sizes.get(path, 0) <= _LARGEST_BYTES:
        return None
    try:
        document: Any = json.loads(files.read_file(cable, path))
        names = {str(name) for name, file in document["files"].items() if file["sha256"]}
        return names if document["board"] and document["version"] and document["micropython"] else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
