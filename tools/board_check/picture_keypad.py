"""Draws the keypad of a board: its eight wires, its keys with their legends, and which wire leads to which key.

Does not draw the board; `picture.py` does, and puts its pins at KEYPAD_PIN_YS (rows first, then columns).
"""

from board_check.board import Board
from board_check.sheet import FAINT, INK, Sheet

_PITCH = 1.25
_ROW_YS = tuple(-_PITCH * row for row in range(4))
_COLUMN_YS = (-5.4, -6.1, -6.8, -7.5)
KEYPAD_PIN_YS = _ROW_YS + _COLUMN_YS
_COLORS = ("#b03a2e", "#d35400", "#b7950b", "#1e8449", "#1f618d", "#6c3483", "#795548", "#455a64")

_GAP = 3.4  # from the board to the keypad
_FIRST_KEY = 3.0  # from the keypad's edge to the middle of its first column
_KEY = 0.42  # half a key
_KEYPAD_FILL = "#f4efe4"
_KEY_FILL = "#ffffff"


def draw_keypad(sheet: Sheet, board: Board, start: float) -> None:
    """Draw the keypad of a board whose right edge is at x = `start`, and the wires to it."""
    edge = start + _GAP
    columns = [edge + _FIRST_KEY + _PITCH * column for column in range(4)]
    sheet.box(edge, 1.0, columns[-1] + 1.0, -8.8, _KEYPAD_FILL)
    sheet.text(((edge + columns[-1] + 1.0) / 2, -8.3), "4x4 keypad, no diodes", size=10, color=FAINT)
    for row, y in enumerate(_ROW_YS):
        sheet.wire((start, y), (columns[-1], y), color=_COLORS[row])
        sheet.text((edge + 0.25, y + 0.22), f"row {row + 1}", size=10, align="left", color=_COLORS[row])
    for column, (x, y) in enumerate(zip(columns, _COLUMN_YS, strict=True)):
        color = _COLORS[4 + column]
        sheet.wire((start, y), (x, y), (x, _ROW_YS[0]), color=color)
        sheet.text((edge + 0.25, y + 0.22), f"column {column + 1}", size=10, align="left", color=color)
    for y, color in zip(KEYPAD_PIN_YS, _COLORS, strict=True):
        sheet.dot((start, y), color)
        sheet.dot((edge, y), color)
    for index, legend in enumerate(board.legends):
        row, column = divmod(index, 4)
        x, y = columns[column], _ROW_YS[row]
        sheet.box(x - _KEY, y + _KEY, x + _KEY, y - _KEY, _KEY_FILL, edge=FAINT, layer=3)
        sheet.text((x, y), legend, size=15, color=INK)
