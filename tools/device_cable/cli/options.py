"""The commands' common parts: the options for board and port, and problems as one sentence.

Does no work of its own. A CableProblem or SetupProblem goes to standard error and the exit code is 1, Ctrl-C is 130;
there is no traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from board_check.project_files import BOARDS
from phoneterm_bridge.settings.problem import SetupProblem

from device_cable.image import board_names
from device_cable.problem import CableProblem


def _complete_board(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of real boards that begin so."""
    names = board_names(Path(context.params.get("boards") or BOARDS))
    return [name for name in names if name.startswith(incomplete)]


BoardName = Annotated[
    str | None,
    typer.Option("--board", autocompletion=_complete_board, help="The board's name: a folder below --boards."),
]
PortName = Annotated[str | None, typer.Option("--port", help="Its serial port; found by itself if only one is there.")]
Boards = Annotated[Path, typer.Option("--boards", help="The folder with the boards.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the terminal afterwards.")]
WAIT_S = 30.0
YES = "ARGS=--yes (--yes)"
INTERRUPTED = 130


def ask_first(question: str, agrees: str, otherwise: str) -> None:
    """Ask before something is done; CableProblem without a yes. `agrees`: the option that says yes beforehand."""
    try:
        is_agreed = typer.confirm(question)
    except typer.Abort:
        typer.echo()  # ends the line of the question
        raise CableProblem(f"Nobody answered, and {otherwise}; {agrees} agrees beforehand.") from None
    if not is_agreed:
        raise CableProblem(f"{otherwise[0].upper()}{otherwise[1:]}.")


@contextmanager
def one_sentence(when_interrupted: str) -> Iterator[None]:
    """Print a problem as one sentence on standard error; `when_interrupted` says what Ctrl-C leaves behind."""
    try:
        yield
    except (CableProblem, SetupProblem) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, typer.Abort):
        typer.echo(f"\nStopped. {when_interrupted}", err=True)
        raise typer.Exit(INTERRUPTED) from None
