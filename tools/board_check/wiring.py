"""Keeps a board's drawn wiring beside its `board.py`: writes wiring.svg and wiring.md, and detects when they are old.

Does not draw or word them; `picture.py` and `wiring_page.py` do.
"""

from pathlib import Path

from board_check.board import Board
from board_check.picture import draw_board
from board_check.sheet import make_png
from board_check.wiring_page import write_page

PICTURE = "wiring.svg"
PAGE = "wiring.md"
PNG_PICTURE = "wiring.png"


def write_wiring(board: Board, folder: Path, with_png: bool) -> list[Path]:
    """Write the files into a folder, and return them."""
    svg = draw_board(board)
    files = {PICTURE: svg.encode(), PAGE: write_page(board).encode()}
    if with_png:
        files[PNG_PICTURE] = make_png(svg)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def find_old_files(board: Board) -> list[str]:
    """Return the names of the files that are missing from the board's folder or show another wiring."""
    expected = {PICTURE: draw_board(board), PAGE: write_page(board)}
    return [name for name, content in expected.items() if _read(board.folder / name) != content]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
