"""`phoneterm run`: a whole installation on this machine, a page and a prompt to press its keys.

Does not contain any of its parts. Ctrl-C, SIGTERM and `quit` stop everything that was started here and nothing else;
when standard input ends, the page goes on. An error is one sentence and exit code 1.
"""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer
from phoneterm_bridge.cli.options import Overrides
from virtual_phone.phone import VirtualPhone

from desk_lab.browser import open_in_browser
from desk_lab.console import Console
from desk_lab.desk import Desk
from desk_lab.installation import CALLER, EXTENSION, HOST, TID, Installation
from desk_lab.page.server import DeskPage
from desk_lab.settings_file import write_settings
from desk_lab.starting import echo, has_terminal, run_desk

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
    ports = {"--broker-port": broker_port, "--control-port": control_port, "--page-port": page_port}

    async def show(desk: Desk, installation: Installation, folder: Path) -> None:
        page = DeskPage(desk, f"{pbx}, {installation.lab.where}", page_port)
        await page.start()
        try:
            settings = write_settings(folder, installation.bridge_settings)
            echo(_welcome(desk, installation, pbx, page.address, settings))
            if browser and has_terminal():
                open_in_browser(page.address, folder)
            await Console(desk, sys.stdin or io.StringIO(), echo).run()
        finally:
            await page.stop()

    run_desk(pbx, phone, ports, show, overrides)


def _welcome(desk: Desk, installation: Installation, pbx: str, address: str, settings: Path) -> str:
    return "\n".join(
        (
            f"  PBX     {pbx}, {installation.lab.where}",
            f"  broker  MQTT at {HOST}:{installation.bridge.broker_port}, inside the bridge",
            f"  phone   {_describe_phone(installation)}",
            f"  bridge  its settings for other commands: phoneterm doctor --config {settings}",
            f"  page    {address}",
            *_describe_console(installation),
            "",
            f"{CALLER} has called {EXTENSION}, and they are talking. You are at {EXTENSION}. Type keys and Enter:",
            "  #1102      send the caller to 102",
            f"  *2102      {_describe_consultation(desk)}",
            "  help       everything else",
            *(() if has_terminal() else ("", _NO_TERMINAL)),
        )
    )


def _describe_consultation(desk: Desk) -> str:
    if not desk.can_consult:
        return _CANNOT_CONSULT
    return _COMPOSED if desk.is_composed else _CONSULT


def _describe_console(installation: Installation) -> tuple[str, ...]:
    console = installation.bridge.console
    return () if console is None else (f"  console {console.setup_link}",)


def _describe_phone(installation: Installation) -> str:
    terminal = f"terminal {TID} of extension {EXTENSION}, keypad at {HOST}:{installation.phone.control_port}"
    if isinstance(installation.phone, VirtualPhone):
        return terminal
    return f"{terminal}\n          on an emulated ESP32, its serial port at {installation.phone.port}"
