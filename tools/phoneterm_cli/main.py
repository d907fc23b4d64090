"""The `phoneterm` command: puts the parts' own commands under one name, and turns their errors into one sentence.

Does no work of its own. Each part owns its commands; this file only says where to find them. Only the part that is
named on the command line is imported, so `phoneterm why` answers at once and a running bridge loads no lab.
"""

import sys
from importlib import import_module

import typer

# Each command: its module, and whether it is one command or a group of them.
_PARTS = {
    "run": "desk_lab.run:run",
    "bridge": "phoneterm_bridge.cli.bridge:app",
    "broker": "phoneterm_bridge.cli.broker:app",
    "config": "phoneterm_bridge.cli.config:app",
    "terminal": "phoneterm_bridge.cli.terminal:app",
    "user": "phoneterm_bridge.cli.user:app",
    "policy": "phoneterm_bridge.cli.policy:app",
    "journal": "phoneterm_bridge.cli.journal:app",
    "store": "phoneterm_bridge.cli.store:app",
    "backup": "phoneterm_bridge.cli.backup:app",
    "why": "phoneterm_bridge.cli.why:why",
    "doctor": "phoneterm_bridge.cli.doctor:doctor",
    "phone": "virtual_phone.cli:app",
    "keys": "keypad_lab.cli:app",
    "link": "link_lab.cli:app",
    "heap": "heap_lab.cli:app",
    "load": "bridge_lab.cli:app",
    "chaos": "fault_lab.cli:app",
    "digit-map": "phoneterm_cli.digit_map:app",
    "lab": "pbx_lab.cli:app",
    "board": "board_check.cli:app",
    "pbx": "pbx_bench.cli:app",
    "firmware": "firmware_build.cli:app",
    "device": "device_cable.cli:app",
    "chip": "chip_lab.cli:app",
    "parts": "lab_parts.cli:app",
}


def make_app(names: tuple[str, ...] = tuple(_PARTS)) -> typer.Typer:
    """Return the command with all its parts."""
    app = typer.Typer(
        help="The phone terminal: firmware on a virtual phone, the bridge to the PBX, and the lab to try them in.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_phoneterm)
    for name in names:
        module, _, attribute = _PARTS[name].partition(":")
        part = getattr(import_module(module), attribute)
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name)
        else:
            app.command(name)(part)
    return app


def _phoneterm() -> None:
    """Keep a single command a command of its own."""


def main() -> None:
    """Run the command line."""
    wanted = sys.argv[1:2]
    names = tuple(wanted) if wanted and wanted[0] in _PARTS else tuple(_PARTS)
    make_app(names)()
