"""`phoneterm device repl` and `logs`: talk with the MicroPython on a board, or listen to its terminal.

Does not show anything that is not on the wire already.
"""

import math
import subprocess
import sys

import typer

from device_cable.cli.desk import find_desk
from device_cable.cli.options import PortName, one_sentence


def repl(context: typer.Context, port: PortName = None) -> None:
    """Stop the terminal and talk to its MicroPython; Ctrl-X (or Ctrl-]) leaves, and the board is a terminal again."""
    with one_sentence("The board restarts by itself within ten minutes; its reset button does it at once."):
        desk = find_desk(context)
        name = desk.find_port(port)
        with desk.open_cable(name) as cable:
            cable.enter()  # with that its watchdog leaves ten minutes instead of half of one
        typer.echo("Ctrl-X leaves. A board that is left alone for ten minutes restarts.")
        ended = subprocess.run([sys.executable, "-m", "mpremote", "connect", name, "resume", "repl"], check=False)
        with desk.open_cable(name) as cable:
            cable.enter()
            cable.restart()
        raise typer.Exit(ended.returncode)


def logs(context: typer.Context, port: PortName = None) -> None:
    """Print what the terminal says, until Ctrl-C. The terminal goes on running."""
    desk = find_desk(context)
    with one_sentence("The terminal goes on running."), desk.open_cable(desk.find_port(port)) as cable:
        for line in cable.lines(math.inf):
            typer.echo(line)
