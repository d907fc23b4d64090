"""What the commands that enrol terminals share: the options for the broker's address, and the files for the boards.

Does not enrol. Whatever can be refused (an address, a file that exists) is refused before anything is enrolled.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.settings.problem import SetupProblem

_PRINTED = Path("-")
MqttHost = Annotated[
    str | None, typer.Option("--mqtt-host", help="The broker's address as the board sees it; broker.host unless given.")
]
TlsHost = Annotated[
    str | None, typer.Option("--tls-host", help="The name in the broker's certificate, if it is not that address.")
]
TimeHost = Annotated[
    str | None,
    typer.Option("--time-host", help="The time server, for TLS with a certificate; pool.ntp.org or the like."),
]
Here = Annotated[
    bool, typer.Option("--here", help="It is no board but a virtual phone on this machine: 127.0.0.1 is right.")
]


def find_file(output: str | None, tid: str) -> Path:
    """Return where a terminal's settings go: `output`, or TID.json in that folder, or here. SetupProblem if it exists.

    What ends in / is a folder, which is made if there is none. The path - stands for standard output.
    """
    named = Path(output or "")
    if not output or os.path.isdir(named):
        path = named / f"{tid}.json"
    elif output.endswith("/"):
        _make_folder(named)
        path = named / f"{tid}.json"
    else:
        path = named
    if path != _PRINTED and os.path.lexists(path):
        raise SetupProblem(f"The file {path} exists already; --output names a new one.")
    return path


def hand_out(text: str, path: Path, what: str) -> None:
    """Write a terminal's settings to a private file, or print them where that is asked for."""
    if path == _PRINTED:
        typer.echo(text)
    else:
        write_secret(path, text)
        typer.echo(f"{what}; its settings, with its secrets, are in {path}.")


def write_secret(path: Path, text: str, remedy: str = "--output names another") -> None:
    """Write a new file that only its owner can read; SetupProblem if it cannot be written, or exists."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be written ({error.strerror}); {remedy}.") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupProblem(f"The folder {folder} cannot be made: {error.strerror}.") from None
