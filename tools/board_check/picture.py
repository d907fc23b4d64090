"""Draws a board's wiring, for a person with a soldering iron: the chip's pins, the keypad, and the parts around it.

Does not judge it. The keypad is on the right, with a colour for each wire, and the parts are on the left; every wire
leads to the pin that `board.py` names. `picture_keypad.py` and `picture_parts.py` draw the two sides.
"""

from board_check.board import Board
from board_check.chips import CHIPS
from board_check.picture_keypad import KEYPAD_PIN_YS, draw_keypad
from board_check.picture_parts import draw_parts
from board_check.sheet import FAINT, PAPER, Sheet

_TOP, _BOTTOM = 1.0, -8.8
_LEFT, _RIGHT = 0.0, 5.2
_BOARD_FILL = "#dfe9f3"


def draw_board(board: Board) -> str:
    """Return the wiring of a board as SVG."""
    sheet = Sheet()
    sheet.box(_LEFT - 7.2, _TOP + 1.2, _RIGHT + 11.8, _BOTTOM - 0.4, PAPER, edge=PAPER, layer=0)
    sheet.box(_LEFT, _TOP, _RIGHT, _BOTTOM, _BOARD_FILL)
    middle = (_LEFT + _RIGHT) / 2
    sheet.text((middle, _TOP + 0.6), f"{board.name}", size=17)
    sheet.text((middle, -4.3), CHIPS[board.chip].title, size=17)
    sheet.text((middle, -4.85), "development board", size=10)
    sheet.text((middle, _BOTTOM + 0.7), "power and console:", size=9, color=FAINT)
    sheet.text((middle, _BOTTOM + 0.35), "the USB cable", size=9, color=FAINT)
    for y, pin in zip(KEYPAD_PIN_YS, (*board.rows, *board.columns), strict=True):
        sheet.text((_RIGHT - 0.2, y), f"GPIO{pin}", align="right")
    draw_keypad(sheet, board, _RIGHT)
    draw_parts(sheet, board, _LEFT)
    return sheet.svg()
