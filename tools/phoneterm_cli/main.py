"""The `phoneterm` command: puts the parts' own commands under one name, and turns their errors into one sentence.

Does no work of its own. Each part owns its commands; this file only says where to find them. Only the part that is
named on the command line is imported, so `phoneterm why` answers at once and a running bridge loads no lab. Commands
whose packages are not installed say so.
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from phoneterm_cli import workbench
from phoneterm_cli.help_style import give_one_style
from phoneterm_cli.lean_start import start_lean

# Each command: its module, and whether it is one command or a group of them.
_PARTS = {
    "run": "desk_lab.run:run",
    "bridge": "phoneterm_bridge.cli.bridge:app",
    "broker": "phoneterm_bridge.cli.broker:app",
    "config": "phoneterm_bridge.cli.config:app",
    "tls": "phoneterm_bridge.cli.tls:app",
    "terminal": "phoneterm_bridge.cli.terminal:app",
    "user": "phoneterm_bridge.cli.user:app",
    "console": "phoneterm_bridge.cli.console:app",
    "policy": "phoneterm_bridge.cli.policy:app",
    "journal": "phoneterm_bridge.cli.journal:app",
    "store": "phoneterm_bridge.cli.store:app",
    "backup": "phoneterm_bridge.cli.backup:app",
    "why": "phoneterm_bridge.cli.why:why",
    "doctor": "phoneterm_bridge.cli.doctor:doctor",
    "voipnow": "phoneterm_bridge.cli.voipnow:app",
    "phone": "desk_lab.phone_command:app",
    "keys": "keypad_lab.cli:app",
    "link": "link_lab.cli:app",
    "heap": "heap_lab.cli:app",
    "load": "bridge_lab.cli:app",
    "chaos": "fault_lab.cli:app",
    "attack": "attack_lab.cli:attack",
    "digit-map": "phoneterm_cli.digit_map:app",
    "lab": "pbx_lab.cli:app",
    "board": "board_check.cli:app",
    "pbx": "pbx_bench.cli:app",
    "firmware": "firmware_build.cli:app",
    "device": "device_cable.cli:app",
    "chip": "chip_lab.cli:app",
    "parts": "lab_parts.cli:app",
}

_ANY_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def make_app(names: tuple[str, ...] = tuple(_PARTS)) -> typer.Typer:
    """Return the command with all its parts."""
    app = typer.Typer(
        help="The phone terminal: firmware on a virtual phone, the bridge to the PBX, and the lab to try them in.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_phoneterm)
    for name in names:
        module, _, attribute = _PARTS[name].partition(":")
        if module.startswith("phoneterm_bridge."):
            start_lean()
        try:
            part = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if not workbench.is_missing(error):
                raise
            app.command(name, context_settings=_ANY_WORDS)(workbench.make_stub())
            continue
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name)
        else:
            app.command(name)(part)
    return app


def make_command(names: tuple[str, ...] = tuple(_PARTS)) -> TyperGroup:
    """Return the command as it is run, with one style of help."""
    command = typer.main.get_command(make_app(names))
    assert isinstance(command, TyperGroup)
    give_one_style(command)
    return command


def find_part(words: Sequence[str]) -> str | None:
    """Return the first word that is no option before the command, nor an option's value: the part."""
    is_value = False
    for word in words:
        if not is_value and not word.startswith("-"):
            return word
        is_value = word == "--config"
    return None


def _say_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"phoneterm {version('phoneterm')}")
        raise typer.Exit


def _phoneterm(
    config: Annotated[
        Path | None, typer.Option(help="The settings file, for a command that takes --config; also after it.")
    ] = None,
    is_version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options before the command; the command itself asks for them."""


def main(on_loaded: Callable[[], object] = lambda: None) -> None:
    """Run the command line; `on_loaded` is called when the command's code is there, and before it does anything."""
    part = find_part(sys.argv[1:] or _words_to_complete())
    gc.disable()  # code that is being loaded is no garbage; looking for some takes a tenth of the time
    try:
        command = make_command((part,) if part in _PARTS else tuple(_PARTS))
        gc.enable()
        on_loaded()
        command()
    except ModuleNotFoundError as error:
        if not workbench.is_missing(error):
            raise
        typer.echo(workbench.describe_missing(), err=True)
        sys.exit(1)


def _words_to_complete() -> list[str]:
    """Return the words after `phoneterm` that a shell asks to complete."""
    text = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return text.split()[1:]
