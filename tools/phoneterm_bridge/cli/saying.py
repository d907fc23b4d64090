"""Prints one line for people, in which text from outside cannot make another. Does not print what machines read."""

import typer

from phoneterm_bridge.wording.outside import show


def say(line: str) -> None:
    """Print one line."""
    typer.echo(show(line))
