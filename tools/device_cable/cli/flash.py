"""`phoneterm device flash`: copies the firmware to a board and waits until the terminal reports its state.

Does not build anything: `phoneterm firmware build` makes the files, and `phoneterm firmware image` a MicroPython.
"""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from device_cable import flash as flashing
from device_cable import nvs, rom_loader
from device_cable.board import check_board, check_frozen, enter_board
from device_cable.cable import Cable
from device_cable.cli.desk import find_desk
from device_cable.cli.foreign_files import save_foreign
from device_cable.cli.options import BOARDS, WAIT_S, YES, BoardName, Boards, PortName, Wait, ask_first, one_sentence
from device_cable.image import BoardChip, Image, check_board_name, read_chip, read_image
from device_cable.memory import check_memory
from device_cable.ready import wait_until_ready

_INTERRUPTED = (
    "The board still runs what it had; the copied files lie beside it. The same command continues from there."
)
SAVED = Path("build/saved")
_HALF_WRITTEN = "The board may be empty now: run the same command again."


def flash(
    context: typer.Context,
    board: BoardName = None,
    port: PortName = None,
    images: Annotated[Path, typer.Option(help="The folder with the boards' images.")] = Path("build/firmware"),
    micropython: Annotated[
        Path | None, typer.Option("--image", help="Erase the board and write this image of MicroPython first.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before something is erased or removed.")] = False,
    saved: Annotated[Path, typer.Option(help="The folder for files of the board that are in the way.")] = SAVED,
    boards: Boards = BOARDS,
    wait: Wait = WAIT_S,
) -> None:
    """Copy to the board what changed, prove every file by its SHA-256, restart it and wait until it is ready."""
    with one_sentence(_INTERRUPTED):
        name = check_board_name(boards, board)
        image = read_image(images / name)
        chip = read_chip(boards, name)
        desk = find_desk(context)
        where = desk.find_port(port)
        if micropython is not None:
            _write_micropython(where, name, chip, micropython, yes)
        with desk.open_cable(where) as cable:
            found = enter_board(cable, name)
            check_board(found, cable.port, name, chip, image.oldest)
            check_frozen(found, name, image.version)
            check_memory(found, name, nvs.read_tls(cable))
            within = f", firmware {found.frozen_version} in it" if found.frozen_version else ""
            typer.echo(f"{found.machine}, MicroPython {'.'.join(map(str, found.version))}{within}, at {cable.port}.")
            _bring(cable, image.without_frozen() if found.frozen_version else image, saved, yes)
            cable.restart()
            if wait:
                outcome = wait_until_ready(cable, wait)
                typer.echo(outcome.sentence, err=not outcome.is_good)
                raise typer.Exit(0 if outcome.is_good else 1)


def _write_micropython(port: str, name: str, chip: BoardChip, path: Path, is_agreed: bool) -> None:
    """Write an image of MicroPython, once somebody has agreed to what it erases."""
    image = rom_loader.read_flash_image(path, name, chip)
    command = rom_loader.make_command(path, port, chip)
    within = "with the firmware in it" if image.has_firmware else "without the firmware, which follows as files"
    typer.echo(f"{path}: MicroPython for {image.mcu}, {within}; application slots: {image.slots}.")
    typer.echo(shlex.join(command))
    if not is_agreed:
        ask_first(
            f"Erase the board at {port}, settings and all, and write this image to it?", YES, "nothing was written"
        )
    with one_sentence(_HALF_WRITTEN):
        rom_loader.write_flash(command, port)


def _bring(cable: Cable, image: Image, saved: Path, is_agreed: bool) -> None:
    """Copy and verify, with a progress bar; what is in the way and not ours is saved first."""
    plan = flashing.make_plan(cable, image)
    flashing.check_room(cable, plan, image)
    save_foreign(cable, plan.foreign, saved / image.board, is_agreed)
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
