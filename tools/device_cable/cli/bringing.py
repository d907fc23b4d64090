"""What the commands share that bring a terminal to a board: checks before anything is written, and what they say.

Does not write to the board.
"""

import typer
from phoneterm_bridge.settings.problem import SetupProblem

from device_cable import nvs, wifi_access
from device_cable.board import OLDEST, Board, check_board, check_shared_key, enter_board
from device_cable.cable import Cable
from device_cable.enrolment import Provision
from device_cable.image import BoardChip
from device_cable.installed import check_installed
from device_cable.memory import PLAIN, check_memory
from device_cable.problem import CableProblem
from device_cable.ready import READY, Outcome, wait_until_ready

_SHOWN = ("tid", "base", "mqtt_host", "mqtt_port", "tls", "tls_host", "tls_ca_path", "tls_cert_path", "tls_key_path",
          "time_host", "allow_plain", "wifi_ssid")  # fmt: skip
_ASKED_LATER = wifi_access.WifiAccess("(asked for)", "")


def enter(cable: Cable, name: str, chip: BoardChip) -> Board:
    """Stop the terminal and return what the board is, if our firmware can run there."""
    found = enter_board(cable, name)
    check_board(found, cable.port, name, chip, OLDEST)
    return found


def check_for(cable: Cable, found: Board, name: str, made: Provision, is_again: bool) -> str | None:
    """Refuse a board without firmware or room for this terminal, or that is another one (unless `is_again`).

    Return which terminal the board is, None if it is none.
    """
    check_installed(cable, found, name)
    check_memory(found, name, made.texts.get("tls"))
    if made.texts.get("tls") == "psk":
        check_shared_key(found)
    there = nvs.read_tid(cable)
    if there not in (None, made.tid) and not is_again:
        raise SetupProblem(
            f"The board at {cable.port} is the terminal {there!r} already: plug in the one that is to be {made.tid}, "
            "or make this one free for it (make wipe, phoneterm device wipe), or say AGAIN=1 (--again). Nothing was "
            "written."
        )
    return there


def hear(cable: Cable, wait: float) -> Outcome | None:
    """Restart the board and return the terminal's state; None if nobody waits for it."""
    cable.restart()
    return wait_until_ready(cable, wait) if wait else None


def is_ready(outcome: Outcome | None) -> bool:
    """Return whether the terminal has proven that it works."""
    return outcome is not None and outcome.kind == READY


def find_or_ask_wifi(access: wifi_access.WifiAccess | None, is_dry_run: bool) -> wifi_access.WifiAccess:
    """Return the network, which is asked for if it is not known yet; a dry run asks nothing."""
    return access or (_ASKED_LATER if is_dry_run else wifi_access.ask_wifi(_ask))


def say_plain(made: Provision) -> None:
    """Say what an eavesdropper learns from a terminal without TLS."""
    if made.texts.get("tls") == "off":
        typer.echo(PLAIN)


def describe(made: Provision) -> str:
    """Return what is written to a board, without a secret."""
    pairs = sorted(made.texts.items())
    texts = ", ".join(f"{key} = {value if key in _SHOWN else '(secret)'}" for key, value in pairs)
    return texts + "".join(f"; {path}, {len(content)} bytes" for path, content in made.contents.items())


def _ask(question: str, is_hidden: bool) -> str:
    try:
        return str(typer.prompt(question, hide_input=is_hidden, default="" if is_hidden else None, show_default=False))
    except typer.Abort:
        typer.echo()  # ends the line of the question
        raise CableProblem(
            f"Nobody answered: name the network with {wifi_access.SSID_VARIABLE} and {wifi_access.PASSWORD_VARIABLE}, "
            "or in a private file (--wifi)."
        ) from None
