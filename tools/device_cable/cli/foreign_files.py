"""What `phoneterm device flash` does about files that are not the terminal's: lists them, asks, saves them.

Does not remove them from the board.
"""

import time
from pathlib import Path

import typer

from device_cable import foreign as finding
from device_cable.cable import Cable
from device_cable.cli.options import YES, ask_first
from device_cable.foreign import Foreign


def save_foreign(cable: Cable, foreign: Foreign, folder: Path, is_agreed: bool) -> None:
    """Save what is in the way in a new folder beside `folder`; CableProblem when nobody agrees to that."""
    if not foreign.reasons:
        return
    typer.echo(f"The board at {cable.port} has something in the terminal's way:")
    for path, reason in foreign.reasons.items():
        typer.echo(f"  {path}: {reason}")
    where = _new_folder(folder)
    if not is_agreed:
        ask_first(f"Save this in {where}, and then remove it from the board?", YES, "nothing was changed")
        cable.keep_awake()
    finding.save(cable, foreign, where, lambda path: typer.echo(f"  saved {path}"))
    typer.echo(f"Saved {len(foreign.sizes)} files in {where}.")


def _new_folder(folder: Path) -> Path:
    """Return a folder that is not there yet, named after board and time."""
    base = f"{folder.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (base if again == 0 else f"{base}-{again}" for again in range(1000))
    return next(path for path in (folder.parent / name for name in names) if not path.exists())
