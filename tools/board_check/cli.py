"""`phoneterm board`: which boards there are, whether they can work, and how they are wired.

Does no work of its own. Each problem is one sentence on stderr, and the exit code is 1. The drawing modules are loaded
only by the commands that need them: that takes a third of a second, which would delay every other `phoneterm` command.
"""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from board_check.board import Board
from board_check.board_file import find_board, find_boards, read_board
from board_check.board_source import BoardUnusable
from board_check.chips import CHIPS
from board_check.completion import complete_board
from board_check.problems import find_problems
from board_check.wiring_page import list_wires

app = typer.Typer(help="Boards: their pins, checked and drawn.", no_args_is_help=True)
_Name = Annotated[
    str, typer.Argument(metavar="BOARD", help="A board's name, or its folder.", autocompletion=complete_board)
]


@app.command("list")
def list_boards(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """List the boards there are."""
    listed = []
    for folder in find_boards():
        board = _read(folder)
        has = ["keypad"]
        has += [name for name in ("lamp", "buzzer", "hook", "display") if getattr(board, name) is not None]
        listed.append({"board": board.name, "chip": CHIPS[board.chip].title, "has": has})
        if not as_json:
            typer.echo(f"{board.name:18} {CHIPS[board.chip].title:9} {', '.join(has)}")
    if as_json:
        typer.echo(json.dumps(listed, indent=2))


@app.command()
def check(
    board: Annotated[
        str | None,
        typer.Argument(help="A board's name, or its folder; all boards without one.", autocompletion=complete_board),
    ] = None,
) -> None:
    """Say what would not work on a board, or that nothing is wrong with it."""
    from board_check.check import check_board

    is_good = True
    for folder in [_find(board)] if board is not None else find_boards():
        problems = check_board(folder)
        is_good = is_good and not problems
        for problem in problems:
            typer.echo(f"{folder.name}: {problem}", err=True)
        if not problems:
            typer.echo(f"{folder.name}: nothing is wrong with it.")
    if not is_good:
        raise typer.Exit(1)


@app.command()
def wiring(
    board: _Name,
    to: Annotated[Path | None, typer.Option(help="Where to write; the board's own folder without it.")] = None,
    png: Annotated[bool, typer.Option("--png", help="Draw a PNG too.")] = False,
) -> None:
    """Print the table of a board's wires, and draw wiring.svg and wiring.md."""
    from board_check.wiring import write_wiring

    found = _read(_find(board))
    problems = find_problems(found)
    if problems:
        _fail("\n".join(f"{found.name}: {problem}" for problem in problems))
    table = Table("part", "pin", "how", box=None)
    for row in list_wires(found):
        table.add_row(*(cell.replace("`", "") for cell in row))
    Console(width=160, markup=False).print(table)
    try:
        for path in write_wiring(found, to or found.folder, png):
            typer.echo(f"Written: {path}")
    except OSError as error:
        _fail(f"{error.filename or to or found.folder} cannot be written: {error.strerror}.")


def _find(name: str) -> Path:
    try:
        return find_board(name)
    except BoardUnusable as error:
        _fail(str(error))


def _read(folder: Path) -> Board:
    try:
        return read_board(folder)
    except BoardUnusable as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
