"""Reads a board's folder: `board.py` for the wiring, `board.json` for the chip, in MicroPython's own shape.

Does not judge the wiring; `pin_rules.py` and `key_rules.py` do. A folder with something missing or wrong raises
BoardUnusable, with one sentence. Files: board.json, board.py, manifest.py; wiring.md and wiring.svg are drawn.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

from board_check.board import Board, Display
from board_check.board_source import BoardUnusable, Source, read_classes, read_source
from board_check.chips import CHIPS
from board_check.project_files import BOARDS

DISPLAYS = BOARDS / "displays"  # the drivers, for boards in any folder
FILES = ("board.json", "board.py", "manifest.py")
_FUNCTION = "make_display"
_OPTIONAL = "on_signal"
# What a board.py may import beside a driver: the modules of MicroPython on an ESP32, and the simulated parts.
_MODULES = (
    "array", "asyncio", "binascii", "collections", "dht", "errno", "esp", "esp32", "espnow", "framebuf", "gc", "io",
    "json", "machine", "math", "micropython", "neopixel", "network", "onewire", "os", "random", "re", "struct", "sys",
    "time", "uctypes",
)  # fmt: skip
_SIMULATED = ("host_link", "virtual_display")
_MOST_SETTLE_US = 1000


def find_boards(boards: Path = BOARDS) -> list[Path]:
    """Return the folders of all boards, in the order of their names."""
    return sorted(path.parent for path in boards.glob("*/board.json"))


def find_board(name: str, boards: Path = BOARDS) -> Path:
    """Return the folder of a board, given by its name or its folder; BoardUnusable when there is none."""
    for folder in (boards / name, Path(name)) if name.strip() else ():
        with contextlib.suppress(OSError):  # a name that is too long for a file
            if folder.is_dir() and folder.resolve() != boards.resolve():
                return folder.resolve()
    known = ", ".join(path.name for path in find_boards(boards))
    shown = name.strip()[:80] or "without a name"
    raise BoardUnusable(f"There is no board {shown}: take one of {known}, or name a board's folder.")


def read_board(folder: Path) -> Board:
    """Return the board of a folder; BoardUnusable says what is missing or wrong in it."""
    folder = folder.resolve()
    for name in FILES:
        if not (folder / name).is_file():
            raise BoardUnusable(f"There is no {folder.name}/{name}: copy one from another board's folder.")
    document = _read_json(folder)
    return _make_board(folder, document, read_source(folder / "board.py"))


def _read_json(folder: Path) -> dict[str, Any]:
    place = f"{folder.name}/board.json"
    try:
        document = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BoardUnusable(f"{place} is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise BoardUnusable(f"{place} must be one object in braces, in the shape of MicroPython's board.json.")
    if document.get("mcu") not in tuple(CHIPS):
        raise BoardUnusable(f'{place} must name the chip: "mcu" is one of {", ".join(CHIPS)}.')
    if not isinstance(document.get("product"), str):
        raise BoardUnusable(f'{place} must say what people call the board: "product" is a text.')
    if not isinstance(document.get("features", []), list):
        raise BoardUnusable(f'{place} must list what the board has: "features" is a list of texts.')
    return document


def _make_board(folder: Path, document: dict[str, Any], source: Source) -> Board:
    values = _Values(f"{folder.name}/board.py", source.values)
    if _FUNCTION not in source.functions:
        raise values.unusable(f"defines no {_FUNCTION}(): let it return None where there is no display")
    for name, parameters in ((_FUNCTION, 0), (_OPTIONAL, 1)):
        if name in source.values or len(source.functions.get(name, [""] * parameters)) != parameters:
            what = "the signal's name" if parameters else "nothing"
            raise values.unusable(f"must define {name} as a function that takes {what}")
    _, *notes = source.docstring.split("\n\n")
    return Board(
        folder=folder,
        name=values.get("NAME", str),
        product=document["product"],
        chip=document["mcu"],
        has_external_ram="External RAM" in document.get("features", []),
        notes=tuple(" ".join(note.split()) for note in notes),
        rows=values.pins("ROWS"),
        columns=values.pins("COLUMNS"),
        legends=values.get("LEGENDS", str),
        roles=values.legends("ROLES"),
        settle_us=values.between("SETTLE_US", _MOST_SETTLE_US),
        lamp=values.pin("LAMP"),
        lamp_active=values.level("LAMP_ACTIVE"),
        buzzer=values.pin("BUZZER"),
        hook=values.pin("HOOK"),
        hook_off_level=values.level("HOOK_OFF_LEVEL"),
        display=_display(values, source),
    )


def _display(values: "_Values", source: Source) -> Display | None:
    """Return the display: its driver is imported from `boards/displays`, or simulated by another module."""
    drivers = {path.stem for path in DISPLAYS.glob("*.py")}
    used = sorted(source.imports.keys() & drivers)
    for module in sorted(source.imports.keys() - drivers - {*_MODULES, *_SIMULATED}):
        if module.partition(".")[0] != "phoneterm":
            raise values.unusable(
                f"imports {module}, which is no module of MicroPython and no driver in boards/displays "
                f"({', '.join(sorted(drivers))})"
            )
    for driver in used:
        lacking = sorted(source.imports[driver] - read_classes(DISPLAYS / f"{driver}.py"))
        if lacking:
            raise values.unusable(f"imports {lacking[0]}, which the driver {driver} does not have")
    if len(used) > 1:
        raise values.unusable(f"imports {' and '.join(used)}: a board has one display")
    if not used:
        return None
    return Display(used[0], values.pin("DISPLAY_SCL"), values.pin("DISPLAY_SDA"))


class _Values:
    """The names of one board.py, read with the type that each must have."""

    def __init__(self, place: str, values: dict[str, Any]) -> None:
        self._place, self._values = place, values

    def unusable(self, what: str) -> BoardUnusable:
        return BoardUnusable(f"{self._place} {what}.")

    def get(self, name: str, kind: type) -> Any:
        value = self._get(name)
        if not isinstance(value, kind) or not value:
            raise self.unusable(f"must set {name} to a text in quotes, not {value!r}")
        return value

    def pin(self, name: str) -> int | None:
        value = self._get(name)
        if value is not None and not _is_whole(value):
            raise self.unusable(f"must set {name} to a pin's number or to None, not {value!r}")
        return value

    def pins(self, name: str) -> tuple[int, ...]:
        value = self._get(name)
        if not isinstance(value, tuple | list) or not all(_is_whole(pin) for pin in value):
            raise self.unusable(f"must set {name} to pins' numbers in brackets, not {value!r}")
        return tuple(value)

    def legends(self, name: str) -> tuple[str, ...]:
        value = self._get(name)
        if not isinstance(value, tuple | list) or not all(isinstance(legend, str) for legend in value):
            raise self.unusable(f"must set {name} to legends in quotes, in brackets, not {value!r}")
        return tuple(value)

    def level(self, name: str) -> int:
        return self.between(name, 1)

    def between(self, name: str, most: int) -> int:
        value = self._get(name)
        if not _is_whole(value) or not 0 <= value <= most:
            raise self.unusable(f"must set {name} to a number from 0 to {most}, not {value!r}")
        return int(value)

    def _get(self, name: str) -> Any:
        if name not in self._values:
            raise self.unusable(f"does not set {name}: see another board's board.py for what it means")
        return self._values[name]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
