"""What the commands that remove something say of what goes with it. Removes nothing itself."""

from collections.abc import Collection

import typer

from phoneterm_bridge.cli.options import Config, Overrides, read_settings
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.wording.names import name_some


def describe_removal(numbers: Collection[str], terminals: Collection[TerminalRecord]) -> str:
    """Return in a few words which extensions and terminals something takes along."""
    parts = [f"{'extension' if len(numbers) == 1 else 'extensions'} {name_some(list(numbers))}"] if numbers else []
    if terminals:
        what = "terminal" if len(terminals) == 1 else "terminals"
        parts.append(f"{what} {name_some([one.tid for one in terminals])}, whose secrets are worthless then")
    return " and ".join(parts) or "nothing else"


def say_mosquitto_keeps(terminals: Collection[TerminalRecord], config: Config, overrides: Overrides) -> None:
    """Say on standard error what a mosquitto needs before it stops accepting these terminals."""
    if terminals and not read_settings(config, overrides).broker.embedded:
        typer.echo(
            "mosquitto still lets them in, where the bridge refuses what they send: write its files anew (`phoneterm "
            "broker config FOLDER`), then reload it (systemctl reload mosquitto).",
            err=True,
        )
