"""The drawn wiring is that of board.py, is the same every time, and needs no other installed program."""

import re
import struct
from dataclasses import replace

import pytest
from board_check.board_file import BOARDS, find_boards, read_board
from board_check.picture import draw_board
from board_check.sheet import make_png
from board_check.wiring import find_old_files, write_wiring
from board_check.wiring_page import write_page

_BOARDS = [read_board(folder) for folder in find_boards()]


@pytest.fixture(params=_BOARDS, ids=lambda board: board.name, scope="module")
def board(request):
    return request.param


@pytest.fixture(scope="module")
def picture(board):
    """The drawing of the board, which takes a second to make."""
    return draw_board(board)


def test_the_committed_wiring_is_that_of_the_board(board):
    assert find_old_files(board) == [], f"phoneterm board wiring {board.name} draws it anew"


def test_a_picture_is_drawn_the_same_twice(board, picture):
    assert draw_board(board) == picture


def test_a_picture_has_no_letters_that_need_a_font(picture):
    assert "<text" not in picture
    ids = re.findall(r'<symbol id="([^"]+)"', picture)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', picture)) == set(ids)


def test_a_picture_becomes_a_png_of_twice_its_size(picture):
    png = make_png(picture)
    assert png.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 1200 > height > 600


def test_the_page_names_every_pin(board):
    page = write_page(board)
    for wire in board.connections():
        assert re.search(rf"\| GPIO{wire.pin} \|", page), wire


def test_files_of_another_wiring_are_called_old(tmp_path, board):
    written = write_wiring(board, tmp_path, with_png=True)
    assert [path.name for path in written] == ["wiring.svg", "wiring.md", "wiring.png"]
    copied = replace(board, folder=tmp_path)
    assert find_old_files(copied) == []
    assert find_old_files(replace(copied, lamp=None)) == ["wiring.svg", "wiring.md"]
    (tmp_path / "wiring.md").unlink()
    assert find_old_files(copied) == ["wiring.md"]


def test_a_display_that_the_chip_does_not_bear_is_warned_of():
    board = read_board(BOARDS / "ESP32_GENERIC")
    lcd = replace(board, display=replace(board.display, driver="lcd"))
    assert "put a level shifter between" in write_page(lcd)
    assert "its VCC to 5V, its GND to GND" in write_page(lcd)
    assert "level shifter" not in write_page(board)
    assert draw_board(lcd) != draw_board(board)


def test_a_part_that_is_not_there_is_not_drawn():
    bare = replace(read_board(BOARDS / "ESP32_GENERIC"), lamp=None, buzzer=None, hook=None, display=None)
    assert len(draw_board(bare)) < len(draw_board(read_board(BOARDS / "ESP32_GENERIC")))
    assert write_page(bare).count("| none | - |") == 4
