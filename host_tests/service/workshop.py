"""The computer of somebody who makes terminals: a checkout, a cable, and a box of boards that all have MicroPython.

It has no settings of a bridge and no store. Its commands are those of `make`; its checkout is that of the tests, with a
folder `build` of its own.
"""

import sys
import time

from cable.board_row import AnsweredCommand, BoardRow
from service.wheels import CHECKOUT
from virtual_phone.wiring import read_wiring

BOARD = "ESP32_GENERIC_S3"
_UNAME = "esp32|1.29.0|Generic ESP32S3 module with Octal-SPIRAM with ESP32S3"
_OF_CHECKOUT = ("Makefile", "boards", "firmware", "pyproject.toml", "requirements.lock", "tools")
_PRESS_S = 0.08
_LOOK_AT_KEYS_MS = 15  # often enough for such a press
_SELDOM_MS = 100  # enough for a board that nobody keys at: thirty that look more often take a processor for it
_REACTION_S = 5
_LOOK_S = 0.1
_MOST_TRIES = 4


class Workshop:
    """The computer, in a folder; `boards` are those that were plugged in."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        for name in _OF_CHECKOUT:
            (folder / name).symlink_to(CHECKOUT / name)
        (folder / ".venv").symlink_to(sys.prefix)
        self.wiring = read_wiring(CHECKOUT / "boards" / BOARD)
        self._first = BoardRow(folder / "first")
        self._row = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for row in (self._first, self._row):
            if row:
                row.close()

    @property
    def port(self):
        """Return the port of the boards."""
        return str(self.folder / "port")

    @property
    def boards(self):
        """Return all boards of the box."""
        return self._row.boards

    def begin(self, command, **environment):
        """Begin a command."""
        return AnsweredCommand("-c", command, program=("sh",), folder=self.folder, environment=environment)

    def plug_in_first(self):
        """Plug in the board that is flashed here."""
        return self._plug_in(self._first)

    def fill_box(self):
        """Fill the box with boards that were flashed as the first one was."""
        first = self._first.boards[0].flash_path
        self._first.close()
        self._row = BoardRow(self.folder / "row", first)

    def plug_in(self, is_keyed=True, **options):
        """Plug in the next board of the box; is_keyed: its keys are pressed. Options are those of `SerialBoard`."""
        return self._plug_in(self._row, least_period_ms=_LOOK_AT_KEYS_MS if is_keyed else _SELDOM_MS, **options)

    def key_until(self, board, text, is_done):
        """Press keys of a board until something has happened; a busy computer may keep the board from some keys."""
        for _ in range(_MOST_TRIES):
            for legend in text:
                for is_down in (True, False):
                    board.press(*self.wiring.position(legend), is_down)
                    time.sleep(_PRESS_S)
            end = time.monotonic() + _REACTION_S
            while time.monotonic() < end:
                if is_done():
                    return
                time.sleep(_LOOK_S)
        raise AssertionError(f"nothing came of {text}: {bytes(board.said[-1000:])!r}")

    def _plug_in(self, row, **options):
        board = row.plug_in(uname=_UNAME, pins=self.wiring.pins, **options)
        link = self.folder / "port"
        link.unlink(missing_ok=True)
        link.symlink_to(row.port)
        return board
