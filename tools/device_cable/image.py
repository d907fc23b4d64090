"""The files for a board: the folder that `phoneterm firmware build` made, read from its manifest and checked.

Does not build or copy it. The manifest says {"board": NAME, "version": V, "micropython": OLDEST ACCEPTED, "files":
{"relative/path": {"bytes": n, "sha256": hex}}}. A folder that does not match its manifest is a CableProblem.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_cable.problem import CableProblem

MANIFEST = "manifest.json"
STARTED_FIRST = ("boot.py", "main.py")
FIRMWARE = "phoneterm/"
_OFFSET = re.compile("0x[0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,9}")


@dataclass(frozen=True)
class Image:
    """The files of a board by their paths there; `oldest` is the oldest MicroPython that runs them, as (1, 27).

    frozen: the modules that its MicroPython has built in; as files they would take precedence.
    """

    board: str
    version: str
    oldest: tuple[int, ...]
    contents: dict[str, bytes]
    hashes: dict[str, str]
    manifest: bytes
    frozen: frozenset[str] = frozenset()

    def without_frozen(self) -> "Image":
        """Return the files for a MicroPython with the firmware in it: boot.py, main.py and the other sources."""
        kept = [path for path in self.contents if not path.startswith(FIRMWARE) and not path.endswith(".mpy")]
        document = json.loads(self.manifest)
        document["files"] = {path: document["files"][path] for path in kept}
        return Image(
            self.board, self.version, self.oldest, {path: self.contents[path] for path in kept},
            {path: self.hashes[path] for path in kept}, json.dumps(document, indent=2).encode(),
            frozenset(self.contents) - set(kept),
        )  # fmt: skip


@dataclass(frozen=True)
class BoardChip:
    """A board's chip ("esp32s3") and the flash offset of a MicroPython image; None where it is not given."""

    mcu: str | None
    flash_offset: str | None


def read_image(folder: Path) -> Image:
    """Return the image in a folder."""
    path = folder / MANIFEST
    try:
        manifest = path.read_bytes()
        document = json.loads(manifest)
        hashes = {str(name): str(file["sha256"]) for name, file in document["files"].items()}
        image = Image(
            str(document["board"]), str(document["version"]), parse_version(str(document["micropython"])),
            {name: _read(folder, name, digest) for name, digest in hashes.items()}, hashes, manifest,
        )  # fmt: skip
    except FileNotFoundError:
        raise CableProblem(f"There is no image in {folder}: make firmware BOARD={folder.name} builds it.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CableProblem(
            f"The file {path} is no manifest of an image: build it anew (make firmware BOARD=)."
        ) from None
    missing = [name for name in STARTED_FIRST if name not in image.contents]
    if missing:
        raise CableProblem(f"The image in {folder} has no {missing[0]}: build it anew (make firmware BOARD=).")
    return image


def parse_version(text: str) -> tuple[int, ...]:
    """Return "1.28.0-preview" as (1, 28, 0); ValueError when it is no version."""
    return tuple(int(part) for part in text.removeprefix("v").split("-")[0].split("."))


def read_chip(boards: Path, name: str) -> BoardChip:
    """Return what a board's board.json says about its chip; empty for a board without that file."""
    path = boards / name / "board.json"
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        mcu, offset = document.get("mcu"), document.get("deploy_options", {}).get("flash_offset")
    except FileNotFoundError:
        return BoardChip(None, None)
    except (OSError, ValueError, AttributeError):
        raise CableProblem(f"The file {path} is no description of a board.") from None
    if offset is not None and not _OFFSET.fullmatch(str(offset)):
        raise CableProblem(f'The file {path} must say flash_offset as a number such as "0x1000".')
    return BoardChip(str(mcu).lower() if mcu else None, str(offset) if offset else None)


def board_names(boards: Path) -> list[str]:
    """Return the names of all real boards."""
    return sorted(path.parent.name for path in boards.glob("*/board.py") if path.parent.name != "VIRTUAL")


def check_board_name(boards: Path, name: str | None) -> str:
    """Return the name of a real board; CableProblem says which ones there are."""
    there = board_names(boards)
    if name in there:
        return str(name)
    choice = f"name one with BOARD= (--board): {', '.join(there)}" if there else "no real board is described here yet"
    if not name or name == "VIRTUAL":
        raise CableProblem(f"This needs a real board, not the virtual one: {choice}.")
    raise CableProblem(f"There is no board {name}: {choice}.")


def _read(folder: Path, name: str, digest: str) -> bytes:
    path = folder / name
    if name.startswith("/") or ".." in Path(name).parts:
        raise CableProblem(f"The image in {folder} names a file outside of itself ({name}): build it anew.")
    try:
        content = path.read_bytes()
    except OSError:
        raise CableProblem(f"The image in {folder} lacks {name}: build it anew (make firmware BOARD=).") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise CableProblem(f"The file {path} is not what its manifest says: build it anew (make firmware BOARD=).")
    return content
