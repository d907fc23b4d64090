"""`phoneterm firmware`: what the firmware becomes on a device."""

from pathlib import Path
from typing import Annotated

import typer

from firmware_build import sizes as measure
from firmware_build.image import NOT_ON_DEVICE, STARTED_AS_SOURCE

app = typer.Typer(help="The firmware as the device gets it.", no_args_is_help=True)


@app.command()
def sizes(
    firmware: Annotated[Path, typer.Option(help="Folder with main.py and the phoneterm package.")] = Path("firmware"),
    target: Annotated[Path, typer.Option(help="Where the compiled modules go.")] = Path("build/mpy"),
) -> None:
    """Compile every module with mpy-cross and print the bytes each takes on the device."""
    if not (firmware / "main.py").exists():
        typer.echo(f"There is no main.py in {firmware}: name the firmware folder with --firmware.", err=True)
        raise typer.Exit(1)
    try:
        modules = measure.compile_all(firmware, target, NOT_ON_DEVICE)
    except measure.CompileFailed as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    for module in modules:
        typer.echo(f"{module.mpy_bytes:7d}  {module.path}")
    total = sum(module.mpy_bytes for module in modules if module.path not in STARTED_AS_SOURCE)
    typer.echo(f"{total:7d}  all together, of {measure.MOST_BYTES} ({' and '.join(STARTED_AS_SOURCE)} go as sources)")
    if total > measure.MOST_BYTES:
        raise typer.Exit(1)
