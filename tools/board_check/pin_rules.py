"""Says which wires of a board lead to a pin that cannot do what the wire needs, and why.

Does not have the chips' pins; `chips.py` does. Each problem is one sentence.
The chip reads a strapping pin when it comes out of reset. At that time the attached part pulls the pin: a column and a
display's bus up, a buzzer's transistor down, a lamp towards its dark end. A hook switch and a row may do either: a
closed switch grounds its pin, and a pressed key joins its row to whatever pulls the column.
From then until the firmware runs, about a second, a pin with its pull-up on switches on the part behind a transistor.
For rows, columns and the hook switch the earlier pull does not matter: the firmware turns their pull-ups on.
"""

from collections.abc import Iterator

from board_check.board import Board, Connection
from board_check.chips import CHIPS, Chip

_AT_EVERY_START = {"lamp": "it would light at every start", "buzzer": "it would sound at every start"}


def find_pin_problems(board: Board) -> list[str]:
    """Return a sentence for each wire to an unsuitable pin, and for each pin with two wires."""
    chip = CHIPS[board.chip]
    problems = []
    seen: dict[int, str] = {}
    for wire in board.connections():
        problems += [f"{_capital(wire.part)} is on GPIO{wire.pin}, {reason}." for reason in _reasons(board, chip, wire)]
        if wire.pin in seen:
            problems.append(f"GPIO{wire.pin} is taken twice: by {seen[wire.pin]} and by {wire.part}.")
        seen.setdefault(wire.pin, wire.part)
    return problems


def _reasons(board: Board, chip: Chip, wire: Connection) -> Iterator[str]:
    pin = wire.pin
    if pin not in chip.pins:
        yield f"which the {chip.title} does not have"
    elif pin in chip.flash:
        yield "which belongs to the flash memory: the chip would stop at once"
    elif pin in chip.memory and board.has_external_ram:
        yield "which belongs to the external RAM that board.json lists"
    elif pin in chip.console:
        yield "which is the console: flashing and the log need it"
    elif pin in chip.usb:
        yield "which is the USB port: flashing and the log need it"
    elif pin in chip.input_only:
        yield _input_only_reason(wire)
    else:
        level = _level_at_reset(board, wire)
        yield from _strapping_reasons(chip, wire, level) if pin in chip.strapping else _start_reasons(chip, wire, level)


def _input_only_reason(wire: Connection) -> str:
    if wire.kind == "column":
        return "which has no pull-up: the column floats and keys seem to be pressed that are not"
    if wire.kind == "hook":
        return "which has no pull-up: the hook switch would float"
    return "which is an input only"


def _strapping_reasons(chip: Chip, wire: Connection, level: int | None) -> Iterator[str]:
    needed = chip.strapping[wire.pin]
    if wire.kind == "row":
        yield "a strapping pin, which decides how the chip starts: a row that is driven must not hang on it"
    elif needed is not None and level is None:
        yield f"a strapping pin that must be {_word(needed)} at reset: a hook switch can hold it the other way"
    elif needed is not None and level != needed:
        yield f"a strapping pin that must be {_word(needed)} at reset, and {wire.part} pulls it {_word(1 - needed)}"


def _start_reasons(chip: Chip, wire: Connection, level: int | None) -> Iterator[str]:
    if wire.kind in _AT_EVERY_START and chip.pulls.get(wire.pin, level) != level:
        yield f"which the chip pulls {_word(1 - (level or 0))} until the firmware runs: {_AT_EVERY_START[wire.kind]}"


def _level_at_reset(board: Board, wire: Connection) -> int | None:
    """Return the level to which the wire pulls its pin while the chip is in reset; None when it may be either."""
    return {"column": 1, "bus": 1, "buzzer": 0, "lamp": 1 - board.lamp_active}.get(wire.kind)


def _word(level: int) -> str:
    return "high" if level else "low"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
