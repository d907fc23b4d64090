"""Writes a board's `wiring.md`: the picture, the table of wires, and what to know before soldering.

Does not draw (`picture.py`) and does not add to what `board.py` says; the notes are its docstring's paragraphs.
"""

from collections.abc import Iterator

from board_check.board import ROLE_NAMES, Board
from board_check.chips import CHIPS
from board_check.parts import BUZZER_OHM, LAMP_OHM, find_display


def write_page(board: Board) -> str:
    """Return the text of wiring.md."""
    lines = [
        f"# {board.name}: wiring",
        "",
        f"{board.product}. Written by `phoneterm board wiring {board.name}` from `board.py`; change that, not this.",
        "",
        f"![The wiring of {board.name}](wiring.svg)",
        "",
        "| part | pin | how |",
        "|---|---|---|",
        *(f"| {part} | {pin} | {how} |" for part, pin, how in list_wires(board)),
        "",
    ]
    for note in (*board.notes, *_notes(board)):
        lines += [note, ""]
    return "\n".join(lines)


def list_wires(board: Board) -> Iterator[tuple[str, str, str]]:
    """Yield (part, pin, how) for every wire, in the order of soldering."""
    for index, pin in enumerate(board.rows):
        yield f"keypad row {index + 1} (`{' '.join(board.row_legends(index))}`)", f"GPIO{pin}", "open-drain output"
    for index, pin in enumerate(board.columns):
        legends = " ".join(board.column_legends(index))
        yield f"keypad column {index + 1} (`{legends}`)", f"GPIO{pin}", "input with pull-up"
    yield "lamp", _name(board.lamp), _lamp(board)
    yield (
        "buzzer",
        _name(board.buzzer),
        f"passive piezo: {BUZZER_OHM} ohm, then the disc to GND" if board.buzzer else "-",
    )
    yield "hook switch", _name(board.hook), _hook(board)
    yield from _display(board)


def _lamp(board: Board) -> str:
    if board.lamp is None:
        return "-"
    if board.lamp_active:
        return f"lights when high: {LAMP_OHM} ohm, then the LED's long leg; its short leg to GND"
    return f"lights when low: {LAMP_OHM} ohm, then the LED's short leg; its long leg to 3V3"


def _buzzer(board: Board) -> str:
    return "-" if board.buzzer is None else f"passive piezo: {BUZZER_OHM} ohm, then the disc to GND"


def _hook(board: Board) -> str:
    if board.hook is None:
        return "-"
    place = "on" if board.hook_off_level else "off"
    return f"input with pull-up; the switch closes to GND while the receiver is {place} the hook"


def _display(board: Board) -> Iterator[tuple[str, str, str]]:
    if board.display is None:
        yield "display", "none", "-"
        return
    part = find_display(board.display.driver)
    yield "display SCL", _name(board.display.scl), part.title
    yield "display SDA", _name(board.display.sda), f"its VCC to {part.supply}, its GND to GND"


def _notes(board: Board) -> Iterator[str]:
    roles = ", ".join(f"`{legend}` {role}" for role, legend in zip(ROLE_NAMES, board.roles, strict=True))
    yield f"Keys with a role of their own: {roles}."
    if board.display and find_display(board.display.driver).warning:
        yield find_display(board.display.driver).warning
    chip = CHIPS[board.chip]
    used = {wire.pin for wire in board.connections()}
    free = [str(pin) for pin in chip.free_pins(board.has_external_ram) if pin not in used]
    yield f"Pins of the {chip.title} that are still free for any part: {', '.join(free) or 'none'}."


def _name(pin: int | None) -> str:
    return "none" if pin is None else f"GPIO{pin}"
