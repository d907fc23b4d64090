"""Checks one board: its folder, its keypad, its pins, and whether the drawn wiring is that of `board.py`.

Does not print. The result is a list of sentences, one for each problem; none means that the board can be used.
"""

from pathlib import Path

from board_check.board_file import read_board
from board_check.board_source import BoardUnusable
from board_check.problems import find_problems
from board_check.wiring import find_old_files


def check_board(folder: Path) -> list[str]:
    """Return what is wrong with the board of a folder, each in one sentence."""
    try:
        board = read_board(folder)
    except BoardUnusable as error:
        return [str(error)]
    problems = find_problems(board)
    if not problems:
        for name in find_old_files(board):
            problems.append(f"{name} does not show this wiring: 'phoneterm board wiring {board.name}' draws it anew.")
    return problems
