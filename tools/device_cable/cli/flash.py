"""`phoneterm device flash`: brings the firmware onto a board and waits for the terminal to say how it is.

Does not build the image: `phoneterm firmware build` does, and `make flash` calls both.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from device_cable import flash as flashing
from device_cable.board import check_board, enter_board
from device_cable.cable import Cable
from device_cable.cli.options import BOARDS, WAIT_S, BoardName, Boards, PortName, Wait, one_sentence
from device_cable.image import Image, check_board_name, read_chip, read_image
from device_cable.ports import find_port
from device_cable.ready import wait_until_ready

_INTERRUPTED = (
    "What the board had is still what it runs; what was copied lies beside it. The same command goes on from there."
)


def flash(
    board: BoardName = None,
    port: PortName = None,
    images: Annotated[Path, typer.Option(help="The folder with the images, one a board.")] = Path("build/firmware"),
    boards: Boards = BOARDS,
    wait: Wait = WAIT_S,
) -> None:
    """Copy to the board what changed, prove every file by its SHA-256, restart it and wait until it is ready."""
    with one_sentence(_INTERRUPTED):
        name = check_board_name(boards, board)
        image = read_image(images / name)
        chip = read_chip(boards, name)
        with Cable(find_port(port)) as cable:
            found = enter_board(cable, name, chip)
            check_board(found, cable.port, name, chip, image.oldest)
            typer.echo(f"{found.machine}, MicroPython {'.'.join(map(str, found.version))}, at {cable.port}.")
            _bring(cable, image)
            cable.restart()
            if wait:
                outcome = wait_until_ready(cable, wait)
                typer.echo(outcome.sentence, err=not outcome.is_good)
                raise typer.Exit(0 if outcome.is_good else 1)


def _bring(cable: Cable, image: Image) -> None:
    """Copy and verify, with a bar."""
    plan = flashing.make_plan(cable, image)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    done_bytes: dict[str, int] = {}
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("copying", total=plan.bytes_to_copy)

        def show(path: str, count: int) -> None:
            done_bytes[path] = count
            progress.update(bar, completed=sum(done_bytes.values()), description=path)

        flashing.carry_out(cable, plan, image, show)
    proven = flashing.verify(cable, image)
    resumed = f", {len(plan.staged)} were there from before" if plan.staged else ""
    typer.echo(
        f"Firmware {image.version} for {image.board}: {len(plan.to_copy)} files copied ({plan.bytes_to_copy} bytes)"
        f"{resumed}, {len(plan.removed)} removed; all {proven} files have the right SHA-256."
    )
