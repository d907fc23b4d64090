"""Prints one line for people, in which text from outside cannot make another. Does not print what machines read."""

import typer

from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.wording.outside import show


def say(line: str) -> None:
    """Print one line."""
    typer.echo(show(line))


def say_broker_must_learn(broker: BrokerSettings) -> None:
    """Say on standard error what a mosquitto needs before it accepts a terminal's new secrets."""
    if not broker.embedded:
        typer.echo(
            "mosquitto does not know the terminal's new secrets yet, and refuses it until it does: write its files "
            "anew (`phoneterm broker config FOLDER`), then reload it (systemctl reload mosquitto).",
            err=True,
        )
