"""`phoneterm device provision`, `rotate` and `wipe`: a board becomes a terminal, gets new secrets, or forgets them.

Does not print, log or put on a command line any secret: they are made here, go over the cable, and stay in the board.
"""

import os
from pathlib import Path
from typing import Annotated

import typer
from phoneterm_bridge.broker.address import judge_address
from phoneterm_bridge.cli.handing_out import MqttHost, TimeHost, TlsHost
from phoneterm_bridge.cli.options import Config, Overrides, looking, open_directory, read_settings, read_terminals
from phoneterm_bridge.cli.saying import say_broker_must_learn
from phoneterm_bridge.settings.bridge import DEFAULT, BrokerSettings, load
from phoneterm_bridge.settings.place import find_place
from phoneterm_bridge.wording.times import say_minute

from device_cable import nvs, wifi_access
from device_cable import provision as provisioning
from device_cable.board import check_shared_key
from device_cable.cable import Cable
from device_cable.cli.bring_files import Row, bring
from device_cable.cli.bringing import check_for, describe, enter, find_or_ask_wifi, hear, is_ready, say_plain
from device_cable.cli.desk import Desk, find_desk
from device_cable.cli.options import (
    BOARDS,
    INTERRUPTED,
    WAIT_S,
    YES,
    BoardName,
    Boards,
    PortName,
    Wait,
    ask_first,
    one_sentence,
)
from device_cable.client_certificate import read_client_certificate
from device_cable.enrolment import Choice, Provision, choose_terminal, prepare
from device_cable.image import check_board_name, read_chip
from device_cable.label import make_label, read_mac
from device_cable.problem import CableProblem
from device_cable.settings_files import find_files

_INTERRUPTED = "If the board had begun to take its settings, run the same command again until it succeeds."
_FROM_FILE = (
    "On any other computer, take the file that the bridge's machine wrote for the terminal (`phoneterm terminal add "
    "--output FILE`, `phoneterm user import --output FOLDER`) with SETTINGS= (--settings)."
)
_NEW_FILE = (
    "On any other computer, `phoneterm terminal rotate TID --output FILE` on the bridge's machine writes new keys, and "
    "make provision SETTINGS=FILE (--settings) brings them."
)


def provision(
    context: typer.Context,
    board: BoardName = None,
    port: PortName = None,
    extension: Annotated[str | None, typer.Option(help="The extension whose calls it transfers.")] = None,
    tid: Annotated[
        str | None, typer.Option(help="The terminal's id; that of the extension's terminal, or phone-EXTENSION.")
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", help="A terminal's file from the bridge's machine, or a folder of them."),
    ] = None,
    mqtt_host: MqttHost = None,
    tls_host: TlsHost = None,
    time_host: TimeHost = None,
    wifi: Annotated[
        Path | None, typer.Option(help="A private TOML file with wifi_ssid and wifi_password; else they are asked for.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The terminal's own certificate, PEM or DER, for a broker that asks for one.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key: a private file, PEM or DER, without a password.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="The terminal is on another board, or the board is another terminal.")
    ] = False,
    another: Annotated[bool, typer.Option("--another", help="Enrol one more terminal for the extension.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    boards: Boards = BOARDS,
    wait: Wait = WAIT_S,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Make a board the terminal of an extension: its keys, written to it with Wi-Fi, broker and certificates.

    On the machine of the bridge, --extension brings the terminal that is enrolled there, with new keys, or enrols one.
    On any computer, --settings brings those whose files the bridge's machine has written: a folder of them one after
    the other, each on the board that is plugged in for it.
    """
    with one_sentence(_INTERRUPTED):
        name = check_board_name(boards, board)
        desk = find_desk(context)
        access = wifi_access.find_wifi(wifi, os.environ)
        client = read_client_certificate(certificate, key)
        if settings is not None:
            _refuse_both(extension, tid, mqtt_host, tls_host, time_host, another, config, overrides)
            find_files(settings)  # before anybody is asked
            found = find_or_ask_wifi(access, dry_run)
            row = Row(desk, port, name, read_chip(boards, name), found, client, again, wait)
            raise typer.Exit(0 if bring(row, settings, dry_run) else 1)
        if not extension:
            raise CableProblem(
                "Name the extension whose calls the terminal transfers with EXT= (--extension), or its file with "
                "SETTINGS= (--settings)."
            )
        broker = _find_bridge(config, overrides)
        with looking(read_settings(config, overrides)) as engine:
            choice = choose_terminal(engine, extension, tid, again, another)
        address = judge_address(broker, mqtt_host, tls_host, time_host)
        if dry_run:
            would = prepare(choice.tid, broker, address, find_or_ask_wifi(access, dry_run), client)
            _say_dry(would, name, desk, port, extension, choice)
            return
        where = desk.find_port(port)
        if choice.is_enrolled:
            typer.echo(f"{choice.tid} is enrolled for extension {extension}: it keeps its rights and gets new keys.")
        made = prepare(choice.tid, broker, address, find_or_ask_wifi(access, dry_run), client)
        with open_directory(config, overrides) as directory, desk.open_cable(where) as cable:
            there = enter(cable, name, read_chip(boards, name))
            is_it = check_for(cable, there, name, made, again) == choice.tid
            if choice.seen_ms is not None and not is_it and not again:
                _ask_for_another_board(choice, choice.seen_ms)
                cable.keep_awake()
            mac = read_mac(cable)
            provisioning.enrol(cable, directory, made, extension, choice.is_enrolled)
            typer.echo(
                f"The board is {choice.tid}, the terminal of extension {extension}; {_and_store(choice.is_enrolled)}."
            )
            say_plain(made)
            _finish(cable, broker, wait, make_label(extension, choice.tid, mac))


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
        broker = _find_bridge(config, overrides, _NEW_FILE)
        desk = find_desk(context)
        with open_directory(config, overrides) as directory, desk.open_cable(desk.find_port(port)) as cable:
            there = enter(cable, name, read_chip(boards, name))
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
        if not yes:
            ask_first(f"Erase the settings of the board at {cable.port}?", YES, "nothing was erased")
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


def _find_bridge(config: Path | None, overrides: list[str] | None, elsewhere: str = _FROM_FILE) -> BrokerSettings:
    """Return the broker of this machine's bridge; CableProblem if there is none, so that nothing is enrolled here.

    elsewhere: what to do on a computer that is not the bridge's.
    """
    place = find_place(config)
    found, sources = load(place.path, tuple(overrides or ()))
    if place.path is None and sources["store.path"] == DEFAULT:
        raise CableProblem(
            f"There is no bridge on this computer ({place.why}), so nobody would know the terminal. {elsewhere}"
        )
    if not found.store.path.exists():
        raise CableProblem(
            f"There is no store {found.store.path} on this computer, so nobody would know the terminal: `phoneterm "
            f"user add` makes it on the machine of the bridge. {elsewhere}"
        )
    return found.broker


def _refuse_both(*given: object) -> None:
    """Refuse what the file of a terminal says already."""
    if any(given):
        raise CableProblem(
            "The file of SETTINGS= (--settings) says which terminal it is and where its broker is: leave out EXT=, "
            "HOST=, ANOTHER=, --tid, --tls-host, --time-host and the settings of a bridge."
        )


def _ask_for_another_board(choice: Choice, seen_ms: int) -> None:
    """Ask before a terminal that has been in service goes to a board that is not it; CableProblem without a yes."""
    typer.echo(
        f"{choice.tid} has been in service, last on {say_minute(seen_ms)}, and this board is not it. If it becomes "
        f"{choice.tid}, the board that is it now stops working."
    )
    typer.echo("(ANOTHER=1, --another, enrols one more terminal for the extension.)")
    ask_first(f"Make this board {choice.tid}?", "AGAIN=1 (--again)", "nothing was changed")


def _finish(cable: Cable, broker: BrokerSettings, wait: float, label: str = "") -> None:
    """Restart the board and report the terminal's state; the exit code is 1 unless it is ready, or nobody waits."""
    try:
        outcome = hear(cable, wait)
    except KeyboardInterrupt:
        typer.echo("\nNobody waits for it any more. The board has its settings; make logs says how the terminal is.")
        if label:
            typer.echo(label)
        raise typer.Exit(INTERRUPTED) from None
    say_broker_must_learn(broker)
    if outcome is not None:
        typer.echo(outcome.sentence, err=not outcome.is_good)
    if label:
        typer.echo(label)
    if outcome is not None and not is_ready(outcome):
        typer.echo("The board has its settings: mend what it names, and it becomes ready by itself.", err=True)
        if label:
            typer.echo(f"If the bridge at its address runs on another machine than this one: {_FROM_FILE}", err=True)
        raise typer.Exit(1)


def _and_store(is_enrolled: bool) -> str:
    return "its old secrets are worth nothing" if is_enrolled else "it is enrolled in the store"


def _say_dry(would: Provision, name: str, desk: Desk, port: str | None, extension: str, choice: Choice) -> None:
    """Say what would be done, without a secret."""
    try:
        where = f"at {desk.find_port(port)}"
    except CableProblem as problem:
        where = f"(not found now: {problem})"
    typer.echo(f"1. Stop the terminal on the {name} {where}.")
    if choice.seen_ms is not None:
        typer.echo(f"   Ask, unless it is {would.tid} already: that has been in service.")
    typer.echo(f"2. Write to it: {describe(would)}.")
    what = "Give it the new secrets" if choice.is_enrolled else f"Enrol it for extension {extension}"
    typer.echo(f"3. {what} in the store as {would.tid}.")
    typer.echo("4. Restart it and wait until it is ready.")
    say_plain(would)
    typer.echo("Nothing was done.")
