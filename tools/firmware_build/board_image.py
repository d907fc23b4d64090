"""Builds all files that one board gets: the firmware, its `board.py`, its display's driver, and a manifest of them.

Does not copy anything to a board. The manifest is what flashing goes by:
{"board": NAME, "version": V, "micropython": OLDEST ACCEPTED, "files": {"relative/path": {"bytes": n, "sha256": hex}}}.
The same sources give the same bytes on the same day, wherever: a module has the day of the build (`build_day.py`).
"""

import contextlib
import errno
import hashlib
import itertools
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from board_check.board import Board
from board_check.board_file import DISPLAYS, read_board
from board_check.problems import find_problems

from firmware_build.image import make_image
from firmware_build.romfs import romfs_place
from firmware_build.sizes import compile_module
from firmware_build.version import OLDEST_MICROPYTHON, read_version

MANIFEST = "manifest.json"
_BOARD_FILE = "board.py"


class BoardUnfit(Exception):
    """The board's wiring cannot work; the text has one sentence in each line."""


@dataclass(frozen=True)
class BoardImage:
    """A built image: its folder, and the size of each of its files in bytes, in the order of paths."""

    folder: Path
    files: dict[str, int]


def build_image(board_folder: Path, firmware: Path, target: Path) -> BoardImage:
    """Build the image of a board in the folder `target/<NAME>`, in place of what was there.

    BoardUnusable, BoardUnfit, CompileFailed and VersionMissing say why it failed; the old image then stays.
    """
    board = read_board(board_folder)
    problems = find_problems(board)
    if problems:
        raise BoardUnfit("\n".join(f"{board.folder.name}: {problem}" for problem in problems))
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{board.name}-", dir=target) as new:
        made = Path(new) / board.name
        _fill(board, firmware, made)
        files = _write_manifest(board, firmware, made)
        place = target / board.name
        put_in_place(made, place, Path(new))
        romfs_place(place).unlink(missing_ok=True)  # it would be the one of the old files
    return BoardImage(place, files)


def put_in_place(made: Path, place: Path, aside: Path) -> None:
    """Move a folder to its place, and what was there below `aside`; another build may do the same at this moment."""
    for count in itertools.count():
        with contextlib.suppress(FileNotFoundError):
            place.rename(aside / f"old-{count}")
        try:
            made.rename(place)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


def _fill(board: Board, firmware: Path, made: Path) -> None:
    """Put everything but the manifest into the folder."""
    make_image(firmware, made)
    shutil.copyfile(board.folder / _BOARD_FILE, made / _BOARD_FILE)
    if board.display:
        driver = f"{board.display.driver}.py"
        compile_module(DISPLAYS / driver, Path(driver), made)


def _write_manifest(board: Board, firmware: Path, made: Path) -> dict[str, int]:
    """Write the manifest, and return the sizes of the files that it lists."""
    contents = {
        path.relative_to(made).as_posix(): path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()
    }
    document = {
        "board": board.name,
        "version": read_version(firmware),
        "micropython": OLDEST_MICROPYTHON,
        "files": {
            path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in contents.items()
        },
    }
    (made / MANIFEST).write_text(json.dumps(document, indent=2) + "\n")
    return {path: len(content) for path, content in contents.items()}
