"""`phoneterm phone`: without a word after it, a whole desk in this terminal, full screen; else the virtual phone's own.

Does no work of its own. What the desk needs is loaded only for the full screen: a key is to be pressed at once.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from virtual_phone import cli as virtual_phone

if TYPE_CHECKING:
    from desk_lab.desk import Desk
    from desk_lab.installation import Installation

_PLAIN = ("dumb", "unknown")  # values of TERM
app = typer.Typer(help="A virtual phone: full screen with its calls, or word by word.", invoke_without_command=True)
app.registered_commands += virtual_phone.app.registered_commands


@app.callback()
def phone(
    context: typer.Context,
    pbx: Annotated[
        str, typer.Option(help="The PBX: simulator, asterisk (a real one with SIP endpoints), or voipnow (a stand-in).")
    ] = "simulator",
    broker_port: Annotated[int, typer.Option(help="Port of the MQTT broker.", min=1, max=65535)] = 7411,
    control_port: Annotated[
        int, typer.Option(help="Port of the phone's control socket.", min=1, max=65535)
    ] = virtual_phone.DEFAULT_CONTROL_PORT,
) -> None:
    """Show a desk full screen: the phone with its keys, and the calls. A word after it does one thing to a phone."""
    if context.invoked_subcommand is not None:
        return
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        typer.echo("The full screen needs a terminal; phoneterm run serves a page, and needs none.", err=True)
        raise typer.Exit(1)
    if (kind := os.environ.get("TERM", "")) in _PLAIN:
        typer.echo(f"A terminal of the kind {kind} cannot show the full screen; phoneterm run does without.", err=True)
        raise typer.Exit(1)
    from desk_lab.screen.full_screen import FullScreen
    from desk_lab.starting import run_desk

    async def show(desk: "Desk", _installation: "Installation", _folder: Path) -> None:
        await FullScreen(desk).run()

    ports = {"--broker-port": broker_port, "--control-port": control_port}
    run_desk(pbx, "virtual", ports, show, log_level="critical")
