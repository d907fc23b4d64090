"""`phoneterm device smoke`: tries a board with somebody at its keypad, prints the table and saves it.

Does not change anything on the board; afterwards it is a terminal again.
"""

from pathlib import Path
from typing import Annotated

import typer

from device_cable import smoke as trial
from device_cable import smoke_report
from device_cable.board import OLDEST, check_board, enter_board
from device_cable.cli.desk import find_desk
from device_cable.cli.options import BOARDS, BoardName, Boards, PortName, one_sentence
from device_cable.image import check_board_name, read_chip

_SEND = (
    "Please send it in: open an issue in the project, say which board it is, and attach the .json. It has no setting "
    "of the terminal in it: no name of a network, no address, no password and no key."
)


def smoke(
    context: typer.Context,
    board: BoardName = None,
    port: PortName = None,
    boards: Boards = BOARDS,
    key_wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for each key.")] = 15.0,
    keys: Annotated[bool, typer.Option(help="Have somebody press every key.")] = True,
    to: Annotated[Path, typer.Option(help="The folder for the results.")] = Path("build/smoke"),
) -> None:
    """Ask for each key, measure memory, clock, flash, keypad, Wi-Fi and TLS on the board, and save what to send in."""
    with one_sentence("Nothing was saved; the board is a terminal again."):
        name = check_board_name(boards, board)
        chip = read_chip(boards, name)
        findings = trial.Findings()
        desk = find_desk(context)
        smoke_report.refuse_folder(to)  # before somebody presses all the keys
        with desk.open_cable(desk.find_port(port)) as cable:
            found = enter_board(cable, name)
            check_board(found, cable.port, name, chip, OLDEST)
            legends = trial.measure_figures(cable, findings)
            if keys:
                trial.try_keys(
                    cable, legends, key_wait, findings, lambda legend: typer.echo(f"Press {legend} and let it go.")
                )
            cable.enter()  # an empty memory for TLS, as when a terminal starts
            trial.measure_network(cable, findings)
        path = smoke_report.save(to, name, found, findings)
        typer.echo(smoke_report.make_table(name, found, findings))
        typer.echo(f"Saved: {path} and {path.with_suffix('.txt').name} beside it.")
        typer.echo(_SEND)
        raise typer.Exit(0 if findings.is_good else 1)
