"""`phoneterm lab`: a real Asterisk with phones, from the shell.

Does not do anything itself: `up` runs a lab until Ctrl-C, the other commands ask the running one.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Annotated

import typer
from lab_parts.parts import PartMissing

from pbx_lab.asterisk_lab import AsteriskLab
from pbx_lab.asterisk_server import CODES
from pbx_lab.control import DEFAULT_PORT, LabControl, ask_lab
from pbx_lab.lab import LabOptions
from pbx_lab.process import LabFailed

app = typer.Typer(no_args_is_help=True, help="A real Asterisk with three phones on loopback.")

Port = Annotated[int, typer.Option("--port", help="Port of 127.0.0.1 where the lab takes requests.")]
Phone = Annotated[str, typer.Argument(help="The phone: 101, 102 or 103.")]


@app.command()
def up(
    port: Port = DEFAULT_PORT,
    codes: Annotated[str, typer.Option(help="Feature codes: letters, stock or none.")] = "letters",
    transfers: Annotated[bool, typer.Option(help="Dial with T and t.")] = True,
) -> None:
    """Bring the lab up, say how to use it, and take it down at Ctrl-C."""
    if codes not in CODES:
        raise typer.BadParameter(f"choose one of {', '.join(CODES)}", param_hint="--codes")
    _run(_keep_up(port, LabOptions(codes=codes, allows_transfer=transfers)))


@app.command()
def call(
    caller: Phone, number: Annotated[str, typer.Argument(help="The number to call.")], port: Port = DEFAULT_PORT
) -> None:
    """Have a phone call a number."""
    _run(_say(port, "call", caller, number))


@app.command()
def hangup(phone: Phone, port: Port = DEFAULT_PORT) -> None:
    """Hang up at a phone."""
    _run(_say(port, "hangup", phone))


@app.command()
def answer(phone: Phone, port: Port = DEFAULT_PORT) -> None:
    """Pick up a phone that rings."""
    _run(_say(port, "answer", phone))


@app.command()
def behave(
    phone: Phone, behaviour: Annotated[str, typer.Argument(help="What it does with calls.")], port: Port = DEFAULT_PORT
) -> None:
    """Say what a phone does with its next call: answer, ring, busy, reject or unavailable."""
    _run(_say(port, "behave", phone, behaviour))


@app.command()
def legs(port: Port = DEFAULT_PORT) -> None:
    """Show the calls, as Asterisk reports them."""
    _run(_say(port, "legs"))


async def _say(port: int, *words: str) -> None:
    for line in await ask_lab(port, *words):
        typer.echo(line)


async def _keep_up(port: int, options: LabOptions) -> None:
    lab = AsteriskLab(options)
    control = LabControl(lab)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    port = await control.start(port)
    try:
        await lab.start()
        given = "" if port == DEFAULT_PORT else f" --port {port}"
        typer.echo(f"Asterisk is up. SIP: 127.0.0.1:{lab.sip_port} (UDP), phones 101 102 103, context {lab.context}.")
        typer.echo(f"AMI: {lab.ami.host}:{lab.ami.port}, username {lab.ami.username}, secret {lab.ami.secret}")
        typer.echo(f"In another shell: phoneterm lab call 103 101{given}; phoneterm lab legs{given}. Ctrl-C ends it.")
        await stopped.wait()
    finally:
        await control.stop()
        await lab.stop()


def _run(work: Coroutine[None, None, None]) -> None:
    """Run one command; an error is one sentence and exit code 1."""
    try:
        asyncio.run(work)
    except (LabFailed, PartMissing) as failed:
        typer.echo(f"phoneterm lab: {failed}", err=True)
        raise typer.Exit(1) from None
