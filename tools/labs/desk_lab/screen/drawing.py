"""Draws the desk on a sheet of characters of any size: phone and keys, calls, phones, what has happened, and the help.

Does not know a terminal and does nothing: it returns the sheet, and where on it the keys are.
"""

import textwrap
import time
from dataclasses import dataclass, field

from pbx_lab.lab import ENDPOINTS, TRUNK

from desk_lab import words
from desk_lab.call_picture import CALLS, ON_HOLD, RINGS, TALKS, WAITS, Call
from desk_lab.desk import Desk
from desk_lab.phone_view import LEGENDS
from desk_lab.screen.canvas import Canvas

LEAST_WIDTH, LEAST_HEIGHT = 36, 14
_PHONE_WIDTH = 34
_BESIDE_WIDTH = 72  # from here on, the calls are beside the phone
_ROOMY_HEIGHT = 24
_COLOURS = ("ansicyan", "ansiyellow", "ansigreen", "ansimagenta", "ansired", "ansiblue")
_CORDS = {TALKS: "━━", ON_HOLD: "╌╌", RINGS: "┈┈", CALLS: "──", WAITS: "──"}
HELP = (
    "0-9 * # A-D press keys", "a mouse can hold them", "Tab chooses a phone, which", "r rings", "p picks up",
    "h hangs up", "o holds, or takes back", "n next call", "t 101 may transfer", "q quits",
)  # fmt: skip
_KEPT = "\N{NO-BREAK SPACE}"
_DISPLAY, _QUIET, _HEAD = "bg:ansigreen fg:ansiblack", "ansibrightblack", "bold"


@dataclass
class Drawing:
    """keys: each with the cells (x, y) that are it."""

    canvas: Canvas
    keys: dict[tuple[int, int], str] = field(default_factory=dict)


def draw(desk: Desk, width: int, height: int, chosen: str = ENDPOINTS[0], said: str = "") -> Drawing:
    """Draw the desk. chosen: the phone that letters act on; said: a sentence about what did not work."""
    drawing = Drawing(Canvas(width, height))
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        drawing.canvas.put(0, 0, f"Needs {LEAST_WIDTH} x {LEAST_HEIGHT}")
        return drawing
    help_lines = _wrap_help(width - 1)[: max(1, height // 6)]
    below = height - len(help_lines) - 1
    is_beside = width >= _BESIDE_WIDTH
    end = _draw_phone(drawing, desk, step=2 if height >= _ROOMY_HEIGHT and is_beside else 1)
    if is_beside:
        _draw_desk(drawing.canvas, desk, _PHONE_WIDTH + 2, 0, below, chosen)
    else:
        _draw_desk(drawing.canvas, desk, 0, end, below, chosen)
    for place, (line, style) in enumerate([(said, "bold ansired"), *((line, _QUIET) for line in help_lines)], below):
        drawing.canvas.put(0, place, f"{line:<{width}}", style)
    return drawing


def _draw_phone(drawing: Drawing, desk: Desk, step: int) -> int:
    """Draw the phone in the upper left corner; return the line after it. step: lines from row to row of keys."""
    canvas, phone = drawing.canvas, desk.phone
    canvas.put(2, 1, "101", _HEAD)
    canvas.put(8, 1, "receiver lifted" if desk.picture.is_up("101") else "receiver on the hook", _QUIET)
    lamp = "?" if phone.lamp is None else "●" if phone.lamp else "○"
    canvas.put(31, 1, lamp, "bold ansired" if phone.lamp else _QUIET)
    rows = phone.display or (("cannot be seen", "") if phone.is_running else ("no power", ""))
    for place in range(2):
        canvas.put(2, 2 + place, f" {rows[place] if place < len(rows) else '':<16.16} ", _DISPLAY)
    tone = f"♪ {phone.tone_hz} Hz" if phone.tone_hz else ""
    canvas.put(23, 3, f"{tone:>9}", "ansiyellow")
    canvas.put(2, 4, f"{words.describe_signal(phone.signal):<28.28}", _QUIET)
    for number, legend in enumerate(LEGENDS):
        row, column = divmod(number, 4)
        x, y = 2 + column * 6, 6 + row * step
        is_down = legend in phone.keys_down
        canvas.put(x, y, f"[ {legend} ]", "reverse" if is_down else "bold ansiyellow" if column == 3 else "bold")
        canvas.put(x + 6, y, words.KEYS.get(legend, ""), _QUIET)
        drawing.keys |= {(place, y): legend for place in range(x, x + 5)}
    height = 6 + 4 * step + (0 if step == 2 else 1)
    canvas.box(0, 0, _PHONE_WIDTH, height, _QUIET)
    return height


def _draw_desk(canvas: Canvas, desk: Desk, x: int, y: int, end: int, chosen: str) -> None:
    """Draw the calls, the phones and what has happened, from one line to another."""
    canvas.put(x, y, "Calls", _HEAD)
    y += 1
    for call in desk.picture.calls:
        _draw_call(canvas, x, y, desk, call)
        y += 1
    if not desk.picture.calls:
        canvas.put(x, y, " no call", _QUIET)
        y += 1
    y += 1
    allowed = "101 may transfer" if desk.is_allowed else "101 may not transfer"
    canvas.put(canvas.put(x, y, "Phones", _HEAD) + 2, y, allowed, _QUIET if desk.is_allowed else "ansired")
    y += 1
    outside = (TRUNK,) if desk.picture.of(TRUNK) else ()
    for endpoint in (*ENDPOINTS, *outside):
        if y < end:
            y = _draw_party(canvas, x, y, desk, endpoint, endpoint == chosen)
    y += 1
    if y + 1 < end:
        canvas.put(x, y, "What has happened", _HEAD)
        for place, line in enumerate(reversed(desk.lines), y + 1):
            if place >= end:
                break
            at = time.strftime("%H:%M:%S", time.localtime(line.at_s))
            text = words.describe_signal(line.text) if line.source == "phone" else line.text
            canvas.put(canvas.put(x, place, f" {at} {line.source:<6}", _QUIET), place, text)


def _draw_call(canvas: Canvas, x: int, y: int, desk: Desk, call: Call) -> None:
    style = colour_of(call)
    x = canvas.put(x, y, f" {call.name} ", f"reverse {style}") + 1
    for number, party in enumerate(call.parties):
        if number:
            x = canvas.put(x, y, f" {_CORDS[_weakest(call)]} ", style)
        x = canvas.put(x, y, words.name_of(party.endpoint), _HEAD)
    canvas.put(x + 2, y, words.sum_up(call), style)


def _weakest(call: Call) -> str:
    """Return the state that the cord of a call is drawn by."""
    states = {party.state for party in call.parties}
    return next(state for state in (RINGS, ON_HOLD, WAITS, CALLS, TALKS) if state in states)


def _draw_party(canvas: Canvas, x: int, y: int, desk: Desk, endpoint: str, is_chosen: bool) -> int:
    """Draw a phone; return the line after it."""
    name = f"{'▸' if is_chosen else ' '}{words.name_of(endpoint)}"
    after = canvas.put(x, y, name, "reverse bold" if is_chosen else _HEAD) + 1
    if desk.behaviours.get(endpoint, "answer") == "answer":
        canvas.put(after, y, words.WHO[endpoint], _QUIET)
    else:
        canvas.put(after, y, f"next call {words.BEHAVIOURS[desk.behaviours[endpoint]]}", "ansiyellow")
    calls = desk.picture.of(endpoint)
    for place, (call, party) in enumerate(calls, y + 1):
        start = canvas.put(x + 5, place, f" {call.name} ", f"reverse {colour_of(call)}") + 1
        canvas.put(start, place, words.describe(desk.picture, call, party))
    if not calls:
        canvas.put(x + 5, y + 1, "no call", _QUIET)
    return y + 1 + max(1, len(calls))


def colour_of(call: Call) -> str:
    """Return the style of a call."""
    return f"fg:{_COLOURS[(ord(call.name) - ord('A')) % len(_COLOURS)]}"


def _wrap_help(width: int) -> list[str]:
    """Return the help in lines, none of its items in two of them."""
    kept = "   ".join(item.replace(" ", _KEPT) for item in HELP)
    return [line.replace(_KEPT, " ") for line in textwrap.wrap(kept, width, break_on_hyphens=False)]
