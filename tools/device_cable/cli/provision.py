"""`phoneterm device provision`, `rotate` and `wipe`: a board becomes a terminal, gets new secrets, or forgets them.

Does not print, log or put on a command line any secret: they are made here, go over the cable, and stay in the board.
"""

import os
from pathlib import Path
from typing import Annotated

import typer
from phoneterm_bridge.cli.options import Config, Overrides, looking, open_directory, read_settings, read_terminals
from phoneterm_bridge.cli.terminal import default_tid, say_broker_must_learn
from phoneterm_bridge.settings.bridge import BrokerSettings

from device_cable import nvs, wifi_access
from device_cable import provision as provisioning
from device_cable.board import OLDEST, Board, check_board, check_shared_key, enter_board
from device_cable.cable import Cable
from device_cable.cli.desk import Desk, find_desk
from device_cable.cli.options import BOARDS, WAIT_S, BoardName, Boards, PortName, Wait, one_sentence
from device_cable.client_certificate import read_client_certificate
from device_cable.enrolment import Provision, check_terminal, prepare
from device_cable.image import BoardChip, check_board_name, read_chip
from device_cable.installed import check_installed
from device_cable.memory import PLAIN, check_memory
from device_cable.problem import CableProblem
from device_cable.ready import wait_until_ready

_INTERRUPTED = "If the board had begun to take its settings, run the same command again until it succeeds."


def provision(
    context: typer.Context,
    board: BoardName = None,
    port: PortName = None,
    extension: Annotated[str | None, typer.Option(help="The extension whose calls it transfers.")] = None,
    tid: Annotated[str | None, typer.Option(help="The terminal's id; phone-EXTENSION unless given.")] = None,
    mqtt_host: Annotated[
        str | None, typer.Option(help="The broker's address as the board sees it; a number needs no look-up.")
    ] = None,
    wifi: Annotated[
        Path | None, typer.Option(help="A private TOML file with wifi_ssid and wifi_password; else they are asked for.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The terminal's own certificate, PEM or DER, for a broker that asks for one.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key: a private file, PEM or DER, without a password.")] = None,
    again: Annotated[bool, typer.Option("--again", help="The terminal is enrolled: give it new secrets.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    boards: Boards = BOARDS,
    wait: Wait = WAIT_S,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Make a board the terminal of an extension: new keys, written to it with Wi-Fi, broker and certificates."""
    with one_sentence(_INTERRUPTED):
        name = check_board_name(boards, board)
        if not extension:
            raise CableProblem("Name the extension whose calls the terminal transfers with EXT= (--extension).")
        wanted = tid or default_tid(extension)
        settings = read_settings(config, overrides)
        with looking(settings) as engine:
            check_terminal(engine, wanted, extension, again)
        access = wifi_access.find_wifi(wifi, os.environ)
        client = read_client_certificate(certificate, key)
        if dry_run:
            asked = wifi_access.WifiAccess("(asked for)", "")
            would = prepare(wanted, settings.broker, mqtt_host, access or asked, client)
            _say_dry(would, name, find_desk(context), port, extension, again)
            return
        desk = find_desk(context)
        where = desk.find_port(port)
        made = prepare(wanted, settings.broker, mqtt_host, access or wifi_access.ask_wifi(_ask), client)
        with open_directory(config, overrides) as directory, desk.open_cable(where) as cable:
            found = _enter(cable, name, read_chip(boards, name))
            check_installed(cable, found, name)
            check_memory(found, name, made.texts["tls"])
            if made.texts["tls"] == "psk":
                check_shared_key(found)
            provisioning.enrol(cable, directory, made, extension, again)
            typer.echo(f"The board is {wanted}, the terminal of extension {extension}; {_and_store(again)}.")
            _say_plain(made)
            _finish(cable, settings.broker, wait)


def rotate(
    context: typer.Context,
    board: BoardName = None,
    port: PortName = None,
    boards: Boards = BOARDS,
    wait: Wait = WAIT_S,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Give the terminal on the board new keys, there and in the store; the old ones stop working."""
    with one_sentence(_INTERRUPTED):
        name = check_board_name(boards, board)
        broker = read_settings(config, overrides).broker
        desk = find_desk(context)
        with open_directory(config, overrides) as directory, desk.open_cable(desk.find_port(port)) as cable:
            there = _enter(cable, name, read_chip(boards, name))
            tid = nvs.read_tid(cable)
            record = read_terminals(config, overrides).get(tid or "")
            if tid is None or record is None or record.is_revoked:
                raise CableProblem(
                    f"The board is {'not set up' if tid is None else 'no terminal of this store'}: make provision "
                    "BOARD= PORT= EXT= makes it one."
                )
            if nvs.read_tls(cable) == "psk":
                check_shared_key(there)
            provisioning.rotate(cable, directory, tid)
            typer.echo(f"{tid} has new keys, on the board and in the store; the old ones are worth nothing.")
            _finish(cable, broker, wait)


def wipe(
    context: typer.Context,
    port: PortName = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase the board's settings with all their secrets; the firmware stays, and the store is not changed."""
    desk = find_desk(context)
    with one_sentence("Run the same command again until it succeeds."), desk.open_cable(desk.find_port(port)) as cable:
        if not yes and not typer.confirm(f"Erase the settings of the board at {cable.port}?"):
            raise CableProblem("Nothing was erased.")
        cable.enter()
        tid = nvs.read_tid(cable)
        nvs.wipe_settings(cable)
        cable.restart()
    if tid is None:
        typer.echo("The board has no settings; it had none that named a terminal.")
        return
    typer.echo(
        f"The board has no settings any more. {tid} is still enrolled: make provision with AGAIN=1 makes a board this "
        f"terminal again; if none is to be, `phoneterm terminal remove {tid}` on the bridge's machine removes it. "
        "Traces may stay in the flash until it is used again; `esptool erase-flash` leaves none."
    )


def _enter(cable: Cable, name: str, chip: BoardChip) -> Board:
    """Stop the terminal and return what the board is, if our firmware can run there."""
    found = enter_board(cable, name)
    check_board(found, cable.port, name, chip, OLDEST)
    return found


def _ask(question: str, is_hidden: bool) -> str:
    try:
        return str(typer.prompt(question, hide_input=is_hidden, default="" if is_hidden else None, show_default=False))
    except typer.Abort:
        raise CableProblem(
            f"Nobody answered: name the network with {wifi_access.SSID_VARIABLE} and {wifi_access.PASSWORD_VARIABLE}, "
            "or in a private file (--wifi)."
        ) from None


def _finish(cable: Cable, broker: BrokerSettings, wait: float) -> None:
    """Restart the board and report the terminal's state; a broker that is not up yet is no failure of provisioning."""
    cable.restart()
    say_broker_must_learn(broker)
    if wait:
        outcome = wait_until_ready(cable, wait)
        typer.echo(outcome.sentence, err=not outcome.is_good)


def _say_plain(made: Provision) -> None:
    """Say what an eavesdropper learns from a terminal without TLS."""
    if made.texts["tls"] == "off":
        typer.echo(PLAIN)


def _and_store(is_again: bool) -> str:
    return "its old secrets are worth nothing" if is_again else "it is enrolled in the store"


def _say_dry(would: Provision, name: str, desk: Desk, port: str | None, extension: str, is_again: bool) -> None:
    """Say what would be done, without a secret."""
    try:
        where = f"at {desk.find_port(port)}"
    except CableProblem as problem:
        where = f"(not found now: {problem})"
    shown = ("tid", "base", "mqtt_host", "mqtt_port", "tls", "tls_ca_path", "tls_cert_path", "tls_key_path",
             "allow_plain", "wifi_ssid")  # fmt: skip
    texts = ", ".join(f"{key} = {value if key in shown else '(secret)'}" for key, value in sorted(would.texts.items()))
    typer.echo(f"1. Stop the terminal on the {name} {where}.")
    sizes = "".join(f"; {path}, {len(content)} bytes" for path, content in would.contents.items())
    typer.echo(f"2. Write to it: {texts}{sizes}.")
    what = "Give it the new secrets" if is_again else f"Enrol it for extension {extension}"
    typer.echo(f"3. {what} in the store as {would.tid}.")
    typer.echo("4. Restart it and wait until it is ready.")
    _say_plain(would)
    typer.echo("Nothing was done.")
