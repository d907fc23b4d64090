"""Draws the parts of a board besides the keypad: lamp, buzzer, hook switch and display, each as it is soldered.

Does not draw the board; `picture.py` does. A part that the board does not have is named as such.
"""

import schemdraw.elements as symbols

from board_check.board import Board, Display
from board_check.parts import BUZZER_OHM, LAMP_OHM, find_display
from board_check.sheet import FAINT, INK, PAPER, Sheet

_LAMP_Y, _BUZZER_Y, _HOOK_Y = 0.0, -1.75, -3.5
_BUS_YS = (-5.4, -6.1, -6.8, -7.5)
_FAR = 5.6  # from the board's edge to ground
_DISPLAY_FILL = "#e3f0e6"
_WIRE_WIDTH = 1.6


def draw_parts(sheet: Sheet, board: Board, edge: float) -> None:
    """Draw the parts of a board whose left edge is at x = `edge`."""
    if board.lamp is None:
        _draw_absent(sheet, edge, _LAMP_Y, "lamp")
    else:
        _draw_lamp(sheet, board.lamp, board.lamp_active, edge)
    if board.buzzer is None:
        _draw_absent(sheet, edge, _BUZZER_Y, "buzzer")
    else:
        _draw_buzzer(sheet, board.buzzer, edge)
    if board.hook is None:
        _draw_absent(sheet, edge, _HOOK_Y, "hook switch")
    else:
        _draw_hook(sheet, board.hook, board.hook_off_level, edge)
    if board.display is None:
        _draw_absent(sheet, edge, (_BUS_YS[0] + _BUS_YS[-1]) / 2, "display")
    else:
        _draw_display(sheet, board.display, edge)


def _draw_absent(sheet: Sheet, edge: float, y: float, part: str) -> None:
    sheet.text((edge - 0.4, y), f"no {part}", size=10, align="right", color=FAINT)


def _draw_lamp(sheet: Sheet, pin: int, active: int, edge: float) -> None:
    y = _LAMP_Y
    _draw_pin(sheet, edge, y, f"GPIO{pin}")
    _draw_resistor(sheet, edge, y, LAMP_OHM)
    near, far = (edge - 3.0, y), (edge - 4.6, y)
    if active:
        sheet.symbol(symbols.LED().flip(), near, far)
    else:
        sheet.symbol(symbols.LED(), far, near)
    sheet.text((edge - 3.8, y - 0.55), "lamp (LED)", size=9)
    sheet.wire(far, (edge - _FAR, y), width=_WIRE_WIDTH)
    if active:
        _draw_ground(sheet, edge - _FAR, y)
    else:
        _draw_supply(sheet, edge - _FAR, y, "3V3")


def _draw_buzzer(sheet: Sheet, pin: int, edge: float) -> None:
    y = _BUZZER_Y
    _draw_pin(sheet, edge, y, f"GPIO{pin}")
    _draw_resistor(sheet, edge, y, BUZZER_OHM)
    left, right, half = edge - 4.3, edge - 3.3, 0.32
    sheet.wire((edge - 3.0, y), (right, y), width=_WIRE_WIDTH)
    sheet.box(left, y + half, right, y - half, "#ffffff")
    sheet.text(((left + right) / 2, y), "piezo", size=9)
    sheet.text(((left + right) / 2, y - 0.55), "buzzer (passive)", size=9)
    sheet.wire((left, y), (edge - _FAR, y), width=_WIRE_WIDTH)
    _draw_ground(sheet, edge - _FAR, y)


def _draw_hook(sheet: Sheet, pin: int, off_level: int, edge: float) -> None:
    y = _HOOK_Y
    _draw_pin(sheet, edge, y, f"GPIO{pin}")
    near, far = (edge - 2.6, y), (edge - 4.2, y)
    sheet.wire((edge, y), near, width=_WIRE_WIDTH)
    sheet.symbol(symbols.Switch().flip(), near, far)
    sheet.text((edge - 3.15, y - 0.5), "hook switch, closed while the", size=9)
    sheet.text((edge - 3.15, y - 0.85), f"receiver is {'on' if off_level else 'off'} the hook", size=9)
    sheet.wire(far, (edge - _FAR, y), width=_WIRE_WIDTH)
    _draw_ground(sheet, edge - _FAR, y)


def _draw_display(sheet: Sheet, display: Display, edge: float) -> None:
    part = find_display(display.driver)
    left, right = edge - 6.4, edge - 2.2
    sheet.box(left, _BUS_YS[0] + 0.45, right, _BUS_YS[-1] - 0.45, _DISPLAY_FILL)
    sheet.text((left + 1.5, _BUS_YS[0] - 0.7), "display", size=13)
    for line, text in enumerate(part.title.split(", ")):
        sheet.text((left + 1.5, _BUS_YS[0] - 1.25 - 0.4 * line), text, size=9)
    names = (("GND", "GND"), (part.supply, "VCC"), (f"GPIO{display.scl}", "SCL"), (f"GPIO{display.sda}", "SDA"))
    for y, (name, there) in zip(_BUS_YS, names, strict=True):
        _draw_pin(sheet, edge, y, name)
        sheet.wire((edge, y), (right, y), width=_WIRE_WIDTH)
        sheet.dot((right, y), INK)
        sheet.text((right - 0.2, y), there, size=10, align="right")
    if part.warning:
        sheet.box(right + 0.55, _BUS_YS[2] + 0.35, edge - 0.55, _BUS_YS[-1] - 0.35, PAPER, layer=3)
        for line, text in enumerate(("level", "shifter")):
            sheet.text(((right + edge) / 2, (_BUS_YS[2] + _BUS_YS[3]) / 2 + 0.2 - 0.4 * line), text, size=9)


def _draw_pin(sheet: Sheet, edge: float, y: float, name: str) -> None:
    sheet.text((edge + 0.2, y), name, align="left")
    sheet.dot((edge, y), INK)


def _draw_resistor(sheet: Sheet, edge: float, y: float, ohm: int) -> None:
    sheet.wire((edge, y), (edge - 0.7, y), width=_WIRE_WIDTH)
    sheet.symbol(symbols.Resistor(), (edge - 0.7, y), (edge - 2.3, y))
    sheet.text((edge - 1.5, y - 0.55), f"{ohm} ohm", size=9)
    sheet.wire((edge - 2.3, y), (edge - 3.0, y), width=_WIRE_WIDTH)


def _draw_ground(sheet: Sheet, x: float, y: float) -> None:
    sheet.symbol(symbols.Ground(), (x, y))
    sheet.text((x - 0.4, y - 0.1), "GND", size=9, align="right")


def _draw_supply(sheet: Sheet, x: float, y: float, name: str) -> None:
    sheet.symbol(symbols.Vdd(), (x, y))
    sheet.text((x - 0.4, y + 0.1), name, size=9, align="right")
