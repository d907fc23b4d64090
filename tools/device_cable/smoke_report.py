"""Saves the results of a smoke test, as JSON for machines and as a table for people.

Does not measure, and contains none of the terminal's settings: both files may be shown to anybody.
"""

import io
import json
import time
from pathlib import Path

from phoneterm_bridge.store.private_files import check_folder
from rich.console import Console
from rich.table import Table

from device_cable.board import Board
from device_cable.problem import CableProblem
from device_cable.smoke import COMPARED_WITH, Findings

_COLUMNS = 120


def make_table(name: str, board: Board, findings: Findings) -> str:
    """Return the table as text."""
    version = ".".join(map(str, board.version))
    table = Table(title=f"{name}: {board.machine}, MicroPython {version}", title_justify="left")
    for column in ("what", "measured", "expected"):
        table.add_column(column, overflow="fold")
    for fact, words in _facts(board, findings).items():
        table.add_row(fact, words, "")
    for figure, (unit, limit) in COMPARED_WITH.items():
        value = findings.figures.get(figure)
        table.add_row(figure, "not measured" if value is None else f"{value:g} {unit}", limit)
    good = sum(word == "ok" for word in findings.keys.values())
    table.add_row("keys", f"{good} of {len(findings.keys)} tried" if findings.keys else "not tried", "each comes once")
    for legend, word in findings.keys.items():
        if word != "ok":
            table.add_row(f"key {legend}", word, "ok")
    for problem in findings.problems:
        table.add_row("problem", problem, "none")
    text = io.StringIO()
    Console(file=text, width=_COLUMNS).print(table)
    return text.getvalue()


def _facts(board: Board, findings: Findings) -> dict[str, str]:
    """Return the facts in words."""
    return findings.facts | {
        "firmware_is": "in MicroPython's image" if board.frozen_version else "copied files",
        "psram": "yes" if board.has_psram else "no",
    }


def refuse_folder(folder: Path) -> None:
    """Raise CableProblem when the results could not be saved in a folder; make nothing."""
    try:
        check_folder(folder)
    except OSError as error:
        raise CableProblem(f"The results cannot be saved in {folder}: {error.strerror}.") from None


def save(folder: Path, name: str, board: Board, findings: Findings) -> Path:
    """Write both files; return the path of the JSON."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    document = {
        "board": name, "machine": board.machine, "micropython": ".".join(map(str, board.version)), "at": stamp,
        "facts": _facts(board, findings),
        "figures": {figure: dict(zip(("value", "unit", "expected"), (value, *COMPARED_WITH[figure]), strict=True))
                    for figure, value in findings.figures.items()},
        "keys": findings.keys, "problems": findings.problems,
    }  # fmt: skip
    path = folder / f"{name}-{stamp}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        path.with_suffix(".txt").write_text(make_table(name, board, findings), encoding="utf-8")
    except OSError as error:
        raise CableProblem(f"The file {path} cannot be written: {error.strerror}.") from None
    return path
