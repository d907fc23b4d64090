"""Which terminals have been brought to which boards: a table beside their files, so that work goes on where it stopped.

Does not have secrets in it. It is a CSV file to which a line is added for each board, on the disk before the next one;
the last line of a terminal counts, and a line that was cut off does not. Whoever brings terminals from the folder has
it locked: two at once would bring the same one twice.
"""

import csv
import io
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.file_lock import try_lock

from device_cable.problem import CableProblem

NAME = "brought.csv"
WRITTEN, READY = "written", "ready"
_COLUMNS = ("terminal", "extension", "mac", "board", "state", "time", "mark")


class Line(NamedTuple):
    """A terminal on a board; `state`: its settings were written there, or it was ready; `mark`: of its file."""

    terminal: str
    extension: str
    mac: str
    board: str
    state: str
    time: str
    mark: str


class Brought:
    """The table in a folder; `close` unlocks it."""

    def __init__(self, folder: Path) -> None:
        """Lock it, read it, and find out whether it can be written; CableProblem if not."""
        self._path = folder / NAME
        self._lines: dict[str, Line] = {}
        try:
            self._file = self._path.open("a+", encoding="utf-8", newline="")
            if not _is_free(self._file.fileno()):
                raise CableProblem(
                    f"Another command is bringing terminals from {folder}: let it end, or take some of the files to a "
                    "folder of their own."
                )
            self._file.seek(0)
            text = self._file.read()
            if not text.endswith("\n"):  # new, or cut off
                self._write("\n" if text else _encode(_COLUMNS))
        except OSError as error:
            raise CableProblem(
                f"The file {self._path} cannot be written ({error.strerror}), which is to say what is done: take the "
                "settings to a folder of your own."
            ) from None
        except UnicodeDecodeError:
            raise CableProblem(f"The file {self._path} is not the table of what is done: move it away.") from None
        for cells in csv.reader(text.splitlines()):
            if len(cells) == len(_COLUMNS) and cells[4] in (WRITTEN, READY):
                self._lines[cells[0]] = Line(*cells)

    def find(self, tid: str, mark: str) -> Line | None:
        """Return the board that a terminal with this file was last brought to, None if there is none."""
        line = self._lines.get(tid)
        return line if line is not None and line.mark == mark else None

    def add(self, tid: str, extension: str, mac: str, board: str, state: str, mark: str) -> None:
        """Note a terminal, and return when that is on the disk."""
        time = datetime.now().astimezone().isoformat(timespec="seconds")
        line = self._lines[tid] = Line(tid, extension, mac, board, state, time, mark)
        try:
            self._write(_encode(line))
        except OSError as error:
            raise CableProblem(
                f"The board has its settings, but the file {self._path} cannot be written: {error.strerror}."
            ) from None

    def close(self) -> None:
        """Let others work in the folder."""
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())


def _is_free(file: int) -> bool:
    """Lock the table; return False if somebody else has it."""
    try:
        return try_lock(file, is_shared=False)
    except SetupProblem:  # Windows, which locks nothing
        return True


def _encode(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
