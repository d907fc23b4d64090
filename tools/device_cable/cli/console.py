"""`phoneterm device repl` and `logs`: talk with the MicroPython on a board, or listen to its terminal.

Does not show anything that is not on the wire already. Both ask a running terminal for its state first, with a byte
that changes nothing on the board.
"""

import math
import subprocess
import sys
import time

import typer

from device_cable.cable import Cable
from device_cable.cli.desk import find_desk
from device_cable.cli.options import PortName, one_sentence
from device_cable.problem import CableProblem
from device_cable.ready import is_prompt, is_state
from device_cable.silence import Silence

_ANSWER_S = 3.0  # a terminal looks once a second whether somebody asks
_AT_PROMPT = (
    "No terminal runs: MicroPython's own prompt answers. Press RESET, and the board says why; make flash brings the "
    "firmware to one that has none."
)

_LEFT = "The board still is at MicroPython's prompt: press RESET or plug it in anew, and it is a terminal again."


def repl(context: typer.Context, port: PortName = None) -> None:
    """Stop the terminal and talk to its MicroPython; Ctrl-X (or Ctrl-]) leaves, and the board is a terminal again."""
    with one_sentence("The board restarts by itself within ten minutes; its reset button does it at once."):
        if not sys.stdin.isatty():
            raise CableProblem("make repl needs a terminal to type in; the board was not touched.")
        desk = find_desk(context)
        name = desk.find_port(port)
        with desk.open_cable(name) as cable:
            _print_state(cable)
            cable.enter()  # with that its watchdog leaves ten minutes instead of half of one
        typer.echo("Ctrl-X leaves. A board that is left alone for ten minutes restarts.")
        ended = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", name, "resume", "repl"], stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
        if trouble := ended.stderr.strip():  # of a traceback, only what it says
            typer.echo(f"\nThe prompt ended: {trouble.splitlines()[-1][:120]}", err=True)
        try:
            with desk.open_cable(name) as cable:
                cable.enter()
                cable.restart()
        except CableProblem as problem:
            raise CableProblem(f"{problem} {_LEFT}") from None
        raise typer.Exit(ended.returncode)


def logs(context: typer.Context, port: PortName = None) -> None:
    """Print the terminal's state and then what it says, until Ctrl-C. The terminal goes on running."""
    desk = find_desk(context)
    with one_sentence("The board goes on with what it does."), desk.open_cable(desk.find_port(port)) as cable:
        silence = Silence(lambda sentence: typer.echo(sentence, err=True))
        for line in cable.lines(math.inf, is_asking=True, on_silence=silence.look):
            silence.end()
            typer.echo(line)
            if is_prompt(line):
                typer.echo(_AT_PROMPT, err=True)


def _print_state(cable: Cable) -> None:
    """Print the line with which a running terminal answers for its state, if it does."""
    for line in cable.lines(time.monotonic() + _ANSWER_S, is_asking=True):
        if is_state(line):
            typer.echo(line)
        if is_state(line) or is_prompt(line):
            return
