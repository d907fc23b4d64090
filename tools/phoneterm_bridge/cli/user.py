"""`phoneterm user`: people, their extensions, and the permission User is multi user aware.

Does not talk to a running bridge: it writes the store, and the bridge notices within a quarter of a second.
"""

from typing import Annotated

import typer

from phoneterm_bridge.cli.csv_files import export_file, import_file
from phoneterm_bridge.cli.options import Config, Overrides, looking, one_sentence, open_directory, read_settings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading

app = typer.Typer(
    help="People, their extensions, and who is multi user aware.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.command("import")(import_file)
app.command("export")(export_file)
_Name = Annotated[str, typer.Argument(help="The user's name.")]


@app.command()
def add(
    name: _Name,
    extension: Annotated[list[str] | None, typer.Option(help="An extension of the user; may be repeated.")] = None,
    aware: Annotated[bool, typer.Option("--aware", help="Give the permission User is multi user aware.")] = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Add a user, with extensions; the name of each one's endpoint at the PBX is the extension's number."""
    with open_directory(config, overrides) as directory:
        directory.add_user(name, aware)
        for number in extension or ():
            directory.add_extension(number, name)


@app.command()
def extension(
    name: _Name,
    number: Annotated[str, typer.Argument(help="The extension's number.")],
    endpoint: Annotated[str | None, typer.Option(help="The device name at the PBX, if not the number.")] = None,
    context: Annotated[str, typer.Option(help="The dialplan context of its transfers.")] = "internal",
    extension_type: Annotated[str, typer.Option("--type", help="term means phone terminal.")] = "term",
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Add an extension to a user."""
    with open_directory(config, overrides) as directory:
        directory.add_extension(number, name, endpoint, context, extension_type)


@app.command()
def change(
    number: Annotated[str, typer.Argument(help="The extension's number.")],
    endpoint: Annotated[str | None, typer.Option(help="The device name at the PBX.")] = None,
    context: Annotated[str | None, typer.Option(help="The dialplan context of its transfers.")] = None,
    extension_type: Annotated[str | None, typer.Option("--type", help="term means phone terminal.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Change where an extension is at the PBX, or whether it is a phone terminal."""
    given = {"endpoint": endpoint, "context": context, "type": extension_type}
    changes = {name: value for name, value in given.items() if value is not None}
    with open_directory(config, overrides) as directory:
        if not changes:
            raise SetupProblem("Say what to change: --endpoint, --context or --type.")
        directory.change_extension(number, **changes)


@app.command()
def allow(name: _Name, config: Config = None, overrides: Overrides = None) -> None:
    """Give a user the permission User is multi user aware."""
    with open_directory(config, overrides) as directory:
        directory.set_multi_user_aware(name, True)


@app.command()
def deny(name: _Name, config: Config = None, overrides: Overrides = None) -> None:
    """Take the permission User is multi user aware from a user."""
    with open_directory(config, overrides) as directory:
        directory.set_multi_user_aware(name, False)


@app.command("list")
def list_users(config: Config = None, overrides: Overrides = None) -> None:
    """List users, whether they are multi user aware, and their extensions."""
    with one_sentence():
        with looking(read_settings(config, overrides)) as engine:
            users = reading.read_users(engine)
        for name, is_aware, numbers in users:
            typer.echo(f"{name:20} {'multi user aware' if is_aware else '-':18} {' '.join(numbers)}")
