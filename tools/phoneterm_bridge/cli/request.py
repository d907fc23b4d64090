"""`phoneterm terminal identify`, `reboot` and `wipe`: ask something of a terminal that is online.

Does not talk to the terminal: it hands the request to the running bridge through the store, and waits a few seconds for
its answer. Nothing is sent after that. If the terminal was not told, or does not go, there is one sentence and the exit
code is 1.
"""

from typing import Annotated

import typer

from phoneterm_bridge.administration.requesting import Patience, ask_terminal
from phoneterm_bridge.cli.completion import complete_tid
from phoneterm_bridge.cli.options import (
    Config,
    IsSure,
    Overrides,
    ask_first,
    changing,
    looking,
    name_place,
    name_user,
    one_sentence,
    read_settings,
)
from phoneterm_bridge.store import requests

_Tid = Annotated[str, typer.Argument(help="The terminal's id.", autocompletion=complete_tid)]


def identify(context: typer.Context, tid: _Tid, config: Config = None, overrides: Overrides = None) -> None:
    """Have a terminal show itself: its lamp blinks, its buzzer sounds, its display shows its id."""
    with one_sentence():
        _request(context, tid, "identify", config, overrides)
        typer.echo(f"{tid} was told to show itself.")


def reboot(context: typer.Context, tid: _Tid, config: Config = None, overrides: Overrides = None) -> None:
    """Restart a terminal, also out of safe mode; calls go on, and a number being keyed is lost."""
    with one_sentence():
        _request(context, tid, "reboot", config, overrides)
        typer.echo(f"{tid} was told to reboot, and has gone; it is back in some seconds.")


def wipe(
    context: typer.Context,
    tid: _Tid,
    is_sure: IsSure = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Make a terminal forget its settings and secrets; it must be provisioned again before it works.

    For one that is lost: wipe it while it is online, then revoke it. A revoked terminal cannot be told anything.
    """
    with one_sentence():
        _check(tid, config, overrides)
        ask_first(
            f"{tid} will forget its network, its broker and its secrets, and do nothing until somebody provisions it "
            "again at a cable (phoneterm device provision).",
            f"Wipe {tid}?",
            is_sure,
        )
        word = _request(context, tid, "wipe", config, overrides)
        went = "and has gone" if word == requests.GONE else "in safe mode, where it does not confirm it"
        typer.echo(
            f"{tid} was told to wipe itself, {went}. Its secrets are still good here: "
            f"`phoneterm terminal revoke {tid}` ends them for good, `phoneterm terminal rotate {tid}` makes new ones."
        )


def _check(tid: str, config: Config, overrides: Overrides) -> None:
    with looking(read_settings(config, overrides)) as engine, engine.connect() as connection:
        requests.require_terminal(connection, tid)


def _request(context: typer.Context, tid: str, op: str, config: Config, overrides: Overrides) -> str:
    """Hand a request to the bridge and return its answer; SetupProblem if the terminal was not told."""
    patience = context.find_object(Patience) or Patience()
    with changing(read_settings(config, overrides)) as engine:
        return ask_terminal(engine, tid, op, f"cli:{name_user()}", name_place(), patience)
