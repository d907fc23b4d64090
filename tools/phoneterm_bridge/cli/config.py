"""`phoneterm config`: which settings count, where each is from, and why this file was chosen.

Does no work of its own, and shows no secret.
"""

import json
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import typer
from pydantic import SecretStr

from phoneterm_bridge.cli.options import Config, Overrides, one_sentence
from phoneterm_bridge.cli.saying import say
from phoneterm_bridge.settings.bridge import DEFAULT, Loaded, load
from phoneterm_bridge.settings.place import Place, find_place, variables_beside

app = typer.Typer(help="The settings that count.", no_args_is_help=True, pretty_exceptions_enable=False)


class _Row(NamedTuple):
    name: str
    value: object
    source: str


@app.callback()
def config() -> None:
    """Show the settings that count."""


@app.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Show which settings file counts and why, and every setting with its source; secrets are hidden."""
    with one_sentence():
        place = find_place(config)
        if not as_json:
            say(_describe(place))
        rows = list(_rows(load(place.path, tuple(overrides or ()))))
        if as_json:
            file = None if place.path is None else str(place.path)
            settings = [row._asdict() for row in rows]
            typer.echo(json.dumps({"file": file, "why": place.why, "settings": settings}, indent=2))
            return
        for row in rows:
            say(f"{row.name:30} {_write(row.value):30} {row.source}")


def _describe(place: Place) -> str:
    if place.path is None:
        return f"There is no settings file ({place.why}): defaults count, the environment and --set."
    beside = variables_beside(place.path)
    more = f", and variables from {beside}" if beside.exists() else ""
    return f"Settings from {place.path.absolute()} ({place.why}){more}."


def _rows(loaded: Loaded) -> Iterator[_Row]:
    for section, model in loaded.settings:
        for key, value in model:
            name = f"{section}.{key}"
            yield _Row(name, _hide(value), loaded.sources.get(name, DEFAULT))


def _hide(value: object) -> object:
    """Return a value as it may be shown."""
    if isinstance(value, SecretStr):
        return "(hidden)" if value.get_secret_value() else "(empty)"
    return value if value is None or isinstance(value, bool | int | tuple) else str(value)


def _write(value: object) -> str:
    if value is None or value == () or value == "":
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else str(value)
