"""`phoneterm user`: people, their extensions, and the permission User is multi user aware.

Each command that changes something prints one line of what it did. Does not talk to a
running bridge: it writes the store, and the bridge notices within a quarter of a second.
"""

import asyncio
import json
from typing import Annotated

import typer

from phoneterm_bridge.cli.csv_files import export_file, import_file
from phoneterm_bridge.cli.options import (
    Config,
    IsSure,
    Json,
    Overrides,
    ask_first,
    changing,
    looking,
    name_place,
    name_user,
    one_sentence,
    open_directory,
    read_settings,
    read_terminals,
)
from phoneterm_bridge.cli.saying import say
from phoneterm_bridge.cli.taking_away import describe_removal, say_mosquitto_keeps
from phoneterm_bridge.csv_files.files import read_known
from phoneterm_bridge.pbx.backends import is_told_permissions, make_permission_source
from phoneterm_bridge.permissions.describing import UNASKED, describe_source, describe_uncounted
from phoneterm_bridge.permissions.granting import set_aware_at_pbx
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.pbx_permissions import read_following
from phoneterm_bridge.store.records import TerminalRecord

app = typer.Typer(
    help="People, their extensions, and who is multi user aware.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.command("import")(import_file)
app.command("export")(export_file)
_Name = Annotated[str, typer.Argument(help="The user's name.")]
_Number = Annotated[str, typer.Argument(help="The extension's number.")]
_Context = Annotated[
    str | None, typer.Option(help="The dialplan context of its transfers, if not the setting pbx.context.")
]


@app.command()
def add(
    name: _Name,
    extension: Annotated[list[str] | None, typer.Option(help="An extension of the user; may be repeated.")] = None,
    aware: Annotated[bool, typer.Option("--aware", help="Give the permission User is multi user aware.")] = False,
    context: _Context = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Add a user, with extensions; the name of each one's endpoint at the PBX is the extension's number."""
    with open_directory(config, overrides) as directory:
        directory.add_user(name, aware)
        for number in extension or ():
            directory.add_extension(number, name, context=context or read_settings(config, overrides).pbx.context)
        owned = f"extension {', '.join(extension)}" if extension else "no extension yet"
        say(f"The user {name} is added: {owned}; {'multi user aware' if aware else 'not multi user aware'}.")
        if aware and is_told_permissions(read_settings(config, overrides)):
            say(f"The PBX says who is multi user aware: `phoneterm user allow {name}` asks it.")


@app.command()
def extension(
    name: _Name,
    number: _Number,
    endpoint: Annotated[str | None, typer.Option(help="The device name at the PBX, if not the number.")] = None,
    context: _Context = None,
    extension_type: Annotated[str, typer.Option("--type", help="Its type; term means phone terminal.")] = "term",
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Add an extension to a user."""
    with open_directory(config, overrides) as directory:
        context = context or read_settings(config, overrides).pbx.context
        directory.add_extension(number, name, endpoint, context, extension_type)
        say(f"The extension {number} is added for {name}: type {extension_type}, context {context}.")


@app.command()
def change(
    number: _Number,
    user: Annotated[str | None, typer.Option(help="The user that it moves to, with its terminals.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="The device name at the PBX.")] = None,
    context: Annotated[str | None, typer.Option(help="The dialplan context of its transfers.")] = None,
    extension_type: Annotated[str | None, typer.Option("--type", help="Its type; term means phone terminal.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Change whose an extension is, where it is at the PBX, or whether it is a phone terminal."""
    given = {"user": user, "endpoint": endpoint, "context": context, "type": extension_type}
    changes = {name: value for name, value in given.items() if value is not None}
    with open_directory(config, overrides) as directory:
        if not changes:
            raise SetupProblem("Say what to change: --user, --endpoint, --context or --type.")
        directory.change_extension(number, **changes)
        now = ", ".join(f"{what} {value}" for what, value in changes.items())
        say(f"The extension {number} is changed: {now}.")


@app.command("context")
def set_context(
    context: Annotated[str, typer.Argument(help="The dialplan context, such as from-internal-xfer.")],
    before: Annotated[str | None, typer.Option("--of", help="Only of extensions that have this one now.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Set the dialplan context of the transfers of all extensions."""
    with open_directory(config, overrides) as directory:
        with looking(read_settings(config, overrides)) as engine:
            known = read_known(engine).extensions
        changed = [number for number, (_, _, now, _) in known.items() if now != context and before in (None, now)]
        with directory.gathered():
            for number in changed:
                directory.change_extension(number, context=context)
        typer.echo(f"{len(changed)} extension{'s have' if len(changed) != 1 else ' has'} now the context {context}.")


@app.command()
def allow(name: _Name, config: Config = None, overrides: Overrides = None) -> None:
    """Give a user the permission User is multi user aware."""
    told = _ask_pbx(name, True, config, overrides)
    if not told:
        with open_directory(config, overrides) as directory:
            directory.set_multi_user_aware(name, True)
    say(f"{name} is multi user aware: the terminals of {name} may transfer, as far as each may.")
    _say_rest(told)


@app.command()
def remove(name: _Name, is_sure: IsSure = False, config: Config = None, overrides: Overrides = None) -> None:
    """Remove a user, with all extensions and their terminals; the journal keeps what it has of them."""
    with one_sentence():
        numbers = _read_numbers(name, config, overrides)
        terminals = [one for one in read_terminals(config, overrides).values() if one.user == name]
        taken = describe_removal(numbers, terminals)
        ask_first(f"The user {name} is removed, with {taken}.", f"Remove {name}?", is_sure)
    with open_directory(config, overrides) as directory:
        directory.remove_user(name)
    say(f"The user {name} is removed, with {taken}.")
    say_mosquitto_keeps(terminals, config, overrides)


@app.command("remove-extension")
def remove_extension(
    number: _Number, is_sure: IsSure = False, config: Config = None, overrides: Overrides = None
) -> None:
    """Remove an extension with its terminals; its user stays, and the journal keeps what it has of them."""
    with one_sentence():
        terminals = _read_terminals_at(number, config, overrides)
        taken = describe_removal([], terminals)
        ask_first(f"The extension {number} is removed, with {taken}.", f"Remove {number}?", is_sure)
    with open_directory(config, overrides) as directory:
        directory.remove_extension(number)
    say(f"The extension {number} is removed, with {taken}.")
    say_mosquitto_keeps(terminals, config, overrides)


@app.command()
def deny(name: _Name, config: Config = None, overrides: Overrides = None) -> None:
    """Take the permission User is multi user aware from a user."""
    told = _ask_pbx(name, False, config, overrides)
    if not told:
        with open_directory(config, overrides) as directory:
            directory.set_multi_user_aware(name, False)
    say(f"{name} is not multi user aware any more: no terminal of {name} may transfer.")
    _say_rest(told)


@app.command("list")
def list_users(as_json: Json = False, config: Config = None, overrides: Overrides = None) -> None:
    """List users, whether they are multi user aware, and their extensions."""
    with one_sentence():
        settings = read_settings(config, overrides)
        with looking(settings) as engine:
            users = reading.read_users(engine)
            following = read_following(engine)
        if as_json:
            names = ("user", "is_multi_user_aware", "extensions")
            typer.echo(json.dumps([dict(zip(names, user, strict=True)) for user in users], indent=2))
            return
        for name, is_aware, numbers in users:
            say(f"{name:20} {'multi user aware' if is_aware else '-':18} {' '.join(numbers)}")
        if not following.source and is_told_permissions(settings):
            say(UNASKED)
        for told in filter(None, (describe_source(following), describe_uncounted(following))):
            say(told)


def _ask_pbx(name: str, is_allowed: bool, config: Config, overrides: Overrides) -> str:
    """Set the permission at the PBX, where it is the one to say it, and return what it says then; else ""."""
    with one_sentence():
        settings = read_settings(config, overrides)
        source = make_permission_source(settings)
        if source is None:
            return ""

        async def ask() -> str:
            try:
                return await set_aware_at_pbx(source, engine, name, is_allowed, f"cli:{name_user()}", name_place())
            finally:
                await source.close()

        with changing(settings) as engine:
            return asyncio.run(ask())


def _say_rest(told: str) -> None:
    """Say what the PBX has said beyond that it is done."""
    if rest := told.partition(". ")[2]:
        say(rest)


def _read_numbers(name: str, config: Config, overrides: Overrides) -> list[str]:
    """Return the extensions of a user."""
    with looking(read_settings(config, overrides)) as engine:
        owned = {user: numbers for user, _, numbers in reading.read_users(engine)}
    if name not in owned:
        raise SetupProblem(f"There is no user {name!r}.")
    return owned[name]


def _read_terminals_at(number: str, config: Config, overrides: Overrides) -> list[TerminalRecord]:
    """Return the terminals of an extension."""
    with looking(read_settings(config, overrides)) as engine:
        if not any(number in numbers for _, _, numbers in reading.read_users(engine)):
            raise SetupProblem(f"There is no extension {number!r}.")
        return [one for one in reading.read_snapshot(engine).terminals.values() if one.extension == number]
