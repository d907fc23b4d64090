"""`phoneterm run`: a whole installation on this machine, a page and a prompt to press its keys.

Does not contain any of its parts. Ctrl-C, SIGTERM and `quit` stop everything that was started here and nothing else;
when standard input ends, the page goes on. An error is one sentence and exit code 1.
"""

import asyncio
import signal
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from lab_parts.parts import PartMissing
from pbx_lab.process import LabFailed
from phoneterm_bridge.cli.options import Overrides
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.logs import set_up_logs
from virtual_phone.client import PhoneError
from virtual_phone.phone import VirtualPhone

from desk_lab.browser import open_in_browser
from desk_lab.console import Console
from desk_lab.desk import Desk
from desk_lab.installation import (
    CALLER,
    CHIP_READY_S,
    EXTENSION,
    HOST,
    PBX_KINDS,
    PHONES,
    READY_S,
    TID,
    Installation,
    make_lab,
)
from desk_lab.page.server import DeskPage

BROKER_PORT = 7411
CONTROL_PORT = 7410
_COMPOSED = "put the caller on hold and call 102, once 101 has picked up; then key A sends the caller there"
PAGE_PORT = 7412
_CONSULT = "put the caller on hold and call 102; then 'hang up' connects the two"
_NO_TERMINAL = "Standard input is no terminal: its lines count all the same, and when they end, the page goes on."
_CANNOT_CONSULT = "is refused: this PBX has no attended transfer"


def run(
    pbx: Annotated[
        str, typer.Option(help="The PBX: simulator, asterisk (a real one with SIP endpoints), or voipnow (a stand-in).")
    ] = "simulator",
    phone: Annotated[
        str, typer.Option(help="The phone: virtual, or chip for an emulated ESP32 (ESP32_CHIP).")
    ] = "virtual",
    broker_port: Annotated[int, typer.Option(help="Port of the MQTT broker.", min=1, max=65535)] = BROKER_PORT,
    control_port: Annotated[
        int, typer.Option(help="Port of the phone's control socket.", min=1, max=65535)
    ] = CONTROL_PORT,
    page_port: Annotated[int, typer.Option(help="Port of the page.", min=1, max=65535)] = PAGE_PORT,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, if somebody sits here.")] = True,
    overrides: Overrides = None,
) -> None:
    """Start broker, bridge, PBX and a phone, with a call to transfer; serve its page, and read keys to press."""
    if pbx not in PBX_KINDS:
        _fail(f"--pbx can be {', '.join(PBX_KINDS[:-1])} or {PBX_KINDS[-1]}, not {pbx}.")
    if phone not in PHONES:
        _fail(f"--phone can be {' or '.join(PHONES)}, not {phone}.")
    ports = {"--broker-port": broker_port, "--control-port": control_port, "--page-port": page_port}
    for option, port in ports.items():
        _check_port(port, option)
        if twin := next((other for other in ports if other != option and ports[other] == port), None):
            _fail(f"{option} and {twin} are both {port}: they must differ.")
    set_up_logs("console", "warning")
    with tempfile.TemporaryDirectory(prefix="phoneterm-run-") as folder:
        try:
            installation = Installation(make_lab(pbx), Path(folder), broker_port, control_port, PHONES[phone])
            installation.more_settings = tuple(overrides or ())
            installation.ready_s = CHIP_READY_S if phone == "chip" else READY_S
            asyncio.run(_run(installation, pbx, page_port, Path(folder) if browser else None))
        except (PartMissing, LabFailed, SetupProblem, PhoneError) as problem:
            _fail(str(problem))
        except KeyboardInterrupt:
            return


async def _run(installation: Installation, pbx: str, page_port: int, browser_folder: Path | None) -> None:
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, main.cancel)  # type: ignore[union-attr]
    try:
        typer.echo("Starting ...")
        await installation.start()
        await installation.place_call()
        async with AsyncExitStack() as parts:
            desk = Desk(installation)
            parts.push_async_callback(desk.stop)
            await desk.start()
            page = DeskPage(desk, f"{pbx}, {installation.lab.where}", page_port)
            parts.push_async_callback(page.stop)
            await page.start()
            typer.echo(_welcome(installation, pbx, page.address))
            if browser_folder is not None and sys.stdin.isatty():
                open_in_browser(page.address, browser_folder)
            await Console(desk, sys.stdin, typer.echo).run()
    except asyncio.CancelledError:
        typer.echo("")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        await installation.stop()
        typer.echo("Stopped.")


def _welcome(installation: Installation, pbx: str, address: str) -> str:
    return "\n".join(
        (
            f"  PBX     {pbx}, {installation.lab.where}",
            f"  broker  MQTT at {HOST}:{installation.bridge.broker_port}, inside the bridge",
            f"  phone   {_describe_phone(installation)}",
            f"  page    {address}",
            "",
            f"{CALLER} has called {EXTENSION}, and they are talking. You are at {EXTENSION}. Type keys and Enter:",
            "  #1102      send the caller to 102",
            f"  *2102      {_describe_consultation(installation)}",
            "  help       everything else",
            *(() if sys.stdin.isatty() else ("", _NO_TERMINAL)),
        )
    )


def _describe_consultation(installation: Installation) -> str:
    pbx = installation.bridge.parts.pbx
    if "attended" not in pbx.operations:
        return _CANNOT_CONSULT
    return _COMPOSED if pbx.remark_on("attended") == "composed" else _CONSULT


def _describe_phone(installation: Installation) -> str:
    terminal = f"terminal {TID} of extension {EXTENSION}, keypad at {HOST}:{installation.phone.control_port}"
    if isinstance(installation.phone, VirtualPhone):
        return terminal
    return f"{terminal}\n          on an emulated ESP32, its serial port at {installation.phone.port}"


def _check_port(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            _fail(f"Port {port} cannot be used ({error.strerror}): choose another with {option}.")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
