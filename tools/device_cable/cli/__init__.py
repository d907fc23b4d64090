"""`phoneterm device`: everything that is done to a board over its cable."""

import typer

from device_cable.cli import console, flash, provision, smoke

app = typer.Typer(
    help="A board at a cable: flash it, provision it, wipe it, listen to it, try its keys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("flash")(flash.flash)
app.command("provision")(provision.provision)
app.command("rotate")(provision.rotate)
app.command("wipe")(provision.wipe)
app.command("repl")(console.repl)
app.command("logs")(console.logs)
app.command("smoke")(smoke.smoke)

__all__ = ["app"]
