"""`phoneterm firmware`: builds what a device gets, and shows sizes and names.

Does no work of its own. A problem is one sentence on stderr and exit code 1.
"""

import shlex
import subprocess
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from board_check.board_file import find_board
from board_check.board_source import BoardUnusable
from board_check.completion import complete_board
from board_check.project_files import FIRMWARE

from firmware_build import micropython_image
from firmware_build import sizes as measure
from firmware_build.board_image import MANIFEST, BoardUnfit, build_image
from firmware_build.image import NOT_ON_DEVICE, STARTED_AS_SOURCE
from firmware_build.romfs import RomfsFailed, make_romfs
from firmware_build.version import VersionMissing

app = typer.Typer(help="The firmware as the device gets it.", no_args_is_help=True)
_Firmware = Annotated[Path, typer.Option(help="Folder with main.py and the phoneterm package.")]


@app.command()
def build(
    board: Annotated[
        str, typer.Argument(metavar="BOARD", help="A board's name, or its folder.", autocompletion=complete_board)
    ],
    firmware: _Firmware = FIRMWARE,
    to: Annotated[Path, typer.Option(help="Where the board's folder goes.")] = Path("build/firmware"),
    romfs: Annotated[bool, typer.Option("--romfs", help="Make a ROMFS image beside the folder too.")] = False,
) -> None:
    """Compile all that a board gets, and print what each file takes there."""
    _check_firmware(firmware)
    try:
        image = build_image(find_board(board), firmware, to)
        extra = make_romfs(image.folder) if romfs else None
    except (BoardUnusable, BoardUnfit, measure.CompileFailed, VersionMissing, RomfsFailed) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or to} cannot be written: {error.strerror}.")
    for path, size in image.files.items():
        typer.echo(f"{size:7d}  {path}")
    typer.echo(f"{sum(image.files.values()):7d}  all together, in {image.folder}, listed in its {MANIFEST}")
    if extra:
        typer.echo(f"{extra.stat().st_size:7d}  {extra}, for a MicroPython with a ROMFS partition")


@app.command()
def image(
    board: Annotated[
        str, typer.Argument(metavar="BOARD", help="A board's name, or its folder.", autocompletion=complete_board)
    ],
    to: Annotated[Path, typer.Option(help="Where the image goes.")] = Path("build/image"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands, and run none.")] = False,
) -> None:
    """Build MicroPython with the firmware frozen in, in Espressif's container, which has some GB."""
    try:
        recipe = micropython_image.make_recipe(find_board(board), to)
        if dry_run:
            typer.echo(shlex.join(micropython_image.make_command(micropython_image.ENGINES[0], recipe)))
            return
        engine = micropython_image.find_engine()
        made = micropython_image.build(recipe, engine, lambda command: subprocess.run(command, check=False).returncode)
    except (BoardUnusable, micropython_image.ImageFailed, VersionMissing) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or to} cannot be written: {error.strerror}.")
    typer.echo(
        f"{recipe.image}: MicroPython {micropython_image.MICROPYTHON_TAG} for {made.mcu} with the firmware in it, "
        f"{made.application_bytes} of {made.slot_bytes} bytes of a slot, {made.slots} slots."
    )


@app.command()
def sizes(
    firmware: _Firmware = FIRMWARE,
    target: Annotated[Path, typer.Option(help="Where the compiled modules go.")] = Path("build/mpy"),
) -> None:
    """Compile every module with mpy-cross and print the bytes each takes on the device."""
    _check_firmware(firmware)
    try:
        modules = measure.compile_all(firmware, target, NOT_ON_DEVICE)
    except measure.CompileFailed as failure:
        _fail(str(failure))
    for module in modules:
        typer.echo(f"{module.mpy_bytes:7d}  {module.path}")
    total = sum(module.mpy_bytes for module in modules if module.path not in STARTED_AS_SOURCE)
    typer.echo(f"{total:7d}  all together, of {measure.MOST_BYTES} ({' and '.join(STARTED_AS_SOURCE)} go as sources)")
    if total > measure.MOST_BYTES:
        raise typer.Exit(1)


@app.command()
def names(
    module: Annotated[str, typer.Argument(help="A module as a fault names it, such as mqtt.")],
    firmware: _Firmware = FIRMWARE,
) -> None:
    """Print which letter on the device is which name: for faults such as "OSError at mqtt:1 in k"."""
    _check_firmware(firmware)
    for name, letters in measure.slim_package(firmware).names.items():
        if name.rpartition(".")[2] == module:
            for original, letter in sorted(letters.items(), key=lambda pair: pair[1]):
                typer.echo(f"{letter:3} {original}")
            return
    _fail(f"There is no module {module} in the firmware.")


def _check_firmware(firmware: Path) -> None:
    if not (firmware / "main.py").exists():
        _fail(f"There is no main.py in {firmware}: name the firmware folder with --firmware.")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
