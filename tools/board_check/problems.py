"""Lists everything that keeps the firmware from working on a board: its keypad, its pins, its display.

Does not look at the drawn wiring (`check.py` does), so that a build need not draw.
"""

from board_check.board import Board
from board_check.key_rules import find_key_problems
from board_check.pin_rules import find_pin_problems


def find_problems(board: Board) -> list[str]:
    """Return what is wrong with a board, each in one sentence."""
    problems = find_key_problems(board) + find_pin_problems(board)
    display = board.display
    if display and (display.scl is None or display.sda is None):
        problems.append(f"The {display.driver} display needs two pins: set DISPLAY_SCL and DISPLAY_SDA.")
    return problems
