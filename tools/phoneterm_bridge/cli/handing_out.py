"""What the commands that enrol terminals share: the options for the broker's address, and the files for the boards.

Does not enrol. Whatever can be refused (an address, a file that exists) is refused before anything is enrolled.
"""

import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from phoneterm_bridge.broker.address import Address, judge_address
from phoneterm_bridge.broker.terminal_document import TerminalDocument
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.cli.broker import read_ca
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.records import Enrolment

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


class Handout(NamedTuple):
    """What all terminals of one command get: the broker with its address and CA."""

    broker: BrokerSettings
    address: Address
    ca: bytes | None

    def document(self, enrolment: Enrolment, extension: str) -> str:
        """Return the text of one terminal's file."""
        texts = device_settings(enrolment, self.broker, self.address)
        return TerminalDocument(extension, texts, self.ca).encode()


def prepare_handout(
    broker: BrokerSettings, mqtt_host: str | None, tls_host: str | None, time_host: str | None, is_here: bool
) -> Handout:
    """Return what the terminals get; SetupProblem if a terminal could not reach the broker with it."""
    address = judge_address(broker, mqtt_host, tls_host, time_host, is_here)
    if not (is_here or broker.is_tls or broker.psk_port or broker.allow_plain):
        raise SetupProblem(
            "No board would connect to this broker, because it has no TLS: `phoneterm tls init` makes its certificate; "
            "or let boards do without, in section [broker]: allow_plain = true."
        )
    has_ca = broker.is_tls and not broker.psk_port
    return Handout(broker, address, read_ca(broker) if has_ca else None)


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
