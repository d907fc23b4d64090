"""What the bridge's commands share: the options that choose the settings, and errors as one sentence.

Does no work of its own. A SetupProblem goes to standard error and the exit code is 1; there is no traceback.
"""

import ipaddress
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from phoneterm_bridge.settings.bridge import BridgeSettings, load_settings, secrets_in
from phoneterm_bridge.settings.place import HERE, SYSTEM, find_place
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.settings.variables import variable_of
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.database import open_store, open_to_read, using
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.wording.outside import show_lines


def _take_config(context: typer.Context, named: Path | None) -> Path | None:
    """Return the settings file of the option, or of the same option before the command."""
    return named or context.find_root().params.get("config")


def _refuse_secrets(context: typer.Context, overrides: list[str] | None) -> list[str] | None:
    """Refuse secrets on the command line, which everybody on this machine can see."""
    for name in secrets_in(overrides or ()):
        variable = variable_of(*name.split("."))
        raise typer.BadParameter(
            f"{name} is a secret, and everybody on this machine can see a command line (ps): put it as {variable}=... "
            "into the file of variables beside the settings file, or into the environment."
        )
    return overrides


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=_take_config,
        help=f"The settings file; else PHONETERM_CONFIG, {HERE} in the working folder, or {SYSTEM}.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        callback=_refuse_secrets,
        help="Change one setting, but no secret; may be repeated.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]

_MOST_UID_DIGITS = 10

IsSure = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn a SetupProblem into one sentence on standard error and exit code 1."""
    try:
        yield
    except SetupProblem as problem:
        typer.echo(show_lines(problem), err=True)
        raise typer.Exit(1) from None


def ask_first(warning: str, question: str, is_sure: bool) -> None:
    """Say what is going to happen and ask whether it shall; SetupProblem unless somebody agrees."""
    if is_sure:
        return
    typer.echo(warning)
    try:
        is_agreed = typer.confirm(question)
    except typer.Abort:  # nobody is there to answer
        typer.echo()
        is_agreed = False
    if not is_agreed:
        raise SetupProblem("Nothing was changed; --yes does it without asking.")


def read_settings(config: Path | None, overrides: list[str] | None) -> BridgeSettings:
    """Return the settings from the file that every command finds, and from the options."""
    return load_settings(find_place(config).path, tuple(overrides or ()))


@contextmanager
def open_directory(config: Path | None, overrides: list[str] | None) -> Iterator[Directory]:
    """Yield the directory in the settings' store, for writing on behalf of the process's user."""
    with one_sentence(), changing(read_settings(config, overrides)) as engine:
        yield Directory(engine, f"cli:{name_user()}", name_place())


def changing(settings: BridgeSettings) -> AbstractContextManager[sa.Engine]:
    """Give the settings' store for writing; it is made if there is none. SetupProblem when it cannot be used."""
    return _opened(settings.store.path, open_store)


def looking(settings: BridgeSettings) -> AbstractContextManager[sa.Engine]:
    """Give the settings' store for reading; this makes and changes nothing. SetupProblem when it cannot be used."""
    return _opened(settings.store.path, open_to_read)


@contextmanager
def _opened(path: Path, open_engine: Callable[[Path], sa.Engine]) -> Iterator[sa.Engine]:
    with using(path):
        engine = open_engine(path)
        try:
            yield engine
        finally:
            engine.dispose()


def read_terminals(config: Path | None, overrides: list[str] | None) -> dict[str, TerminalRecord]:
    """Return all terminals in the settings' store, revoked ones included."""
    with looking(read_settings(config, overrides)) as engine:
        return reading.read_snapshot(engine).terminals


def name_place() -> str:
    """Return where the command line is used: this host, and over SSH the address of whoever is logged in."""
    host = f"host {platform.node()}"
    try:
        return f"{host}, from {ipaddress.ip_address(os.environ.get('SSH_CONNECTION', '').partition(' ')[0])}"
    except ValueError:  # there is none, or something else is in it
        return host


def name_user() -> str:
    """Return the real user of this process; whom sudo names is added as such, for anybody can set that variable."""
    if sys.platform == "win32":
        return "?"
    said, sudo = _name_uid(os.getuid()), os.environ.get("SUDO_UID", "")
    if sudo.isascii() and sudo.isdigit() and len(sudo) <= _MOST_UID_DIGITS:
        said += f", SUDO_UID {_name_uid(int(sudo))}"
    return said


def _name_uid(uid: int) -> str:
    import pwd  # not on Windows, where the commands for boards load this module

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
