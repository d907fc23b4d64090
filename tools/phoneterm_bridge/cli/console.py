"""`phoneterm console`: who may use the operator's console, people with accounts and programs with tokens.

Does not talk to a running bridge: it writes the store, and the bridge notices within a quarter of a second. A password
is asked for, or read from standard input where that is no terminal; it is never an option.
"""

import json
import sys
from typing import Annotated

import typer

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
    read_settings,
)
from phoneterm_bridge.cli.saying import say
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import MOST_CHARS, ROLES, Accounts, read_accounts, read_tokens
from phoneterm_bridge.wording.times import write_time

_STYLE = {"no_args_is_help": True, "pretty_exceptions_enable": False}
app = typer.Typer(help="Who may use the operator's console.", **_STYLE)  # type: ignore[arg-type]
account_app = typer.Typer(help="People, each with a password and a role.", **_STYLE)  # type: ignore[arg-type]
token_app = typer.Typer(help="Programs that use the HTTP API, each with a token and a role.", **_STYLE)  # type: ignore[arg-type]
app.add_typer(account_app, name="account")
app.add_typer(token_app, name="token")
_Name = Annotated[str, typer.Argument(help="The account's name.")]
_TokenName = Annotated[str, typer.Argument(help="The token's name: what it is for.")]
_Role = Annotated[str, typer.Option(help=f"What it may do: {', '.join(ROLES)}.")]


@account_app.command("add")
def add_account(name: _Name, role: _Role, config: Config = None, overrides: Overrides = None) -> None:
    """Add an account; its password is asked for."""
    with one_sentence():
        password = _read_password()
        with changing(read_settings(config, overrides)) as engine:
            Accounts(engine, f"cli:{name_user()}", name_place()).add_account(name, role, password)
        say(f"The account {name} is added: {role}.")


@account_app.command("role")
def set_role(name: _Name, role: _Role, config: Config = None, overrides: Overrides = None) -> None:
    """Give an account another role."""
    with one_sentence(), changing(read_settings(config, overrides)) as engine:
        Accounts(engine, f"cli:{name_user()}", name_place()).set_role(name, role)
        say(f"The account {name} is {role} now.")


@account_app.command("password")
def set_password(name: _Name, config: Config = None, overrides: Overrides = None) -> None:
    """Give an account another password, which is asked for; whoever is signed in with the old one is signed out."""
    with one_sentence():
        password = _read_password()
        with changing(read_settings(config, overrides)) as engine:
            Accounts(engine, f"cli:{name_user()}", name_place()).set_password(name, password)
        say(f"The account {name} has a new password.")


@account_app.command("remove")
def remove_account(name: _Name, is_sure: IsSure = False, config: Config = None, overrides: Overrides = None) -> None:
    """Remove an account; whoever is signed in with it is signed out."""
    with one_sentence():
        ask_first(f"The account {name} is removed and can be signed in with no more.", f"Remove {name}?", is_sure)
        with changing(read_settings(config, overrides)) as engine:
            Accounts(engine, f"cli:{name_user()}", name_place()).remove_account(name)
        say(f"The account {name} is removed.")


@account_app.command("list")
def list_accounts(as_json: Json = False, config: Config = None, overrides: Overrides = None) -> None:
    """List the accounts with their roles."""
    with one_sentence():
        with looking(read_settings(config, overrides)) as engine:
            found = read_accounts(engine)
        _print([(one.name, one.role, one.added_ms) for one in found.values()], as_json)


@token_app.command("add")
def add_token(name: _TokenName, role: _Role, config: Config = None, overrides: Overrides = None) -> None:
    """Make a token for a program and print it, only once."""
    with one_sentence(), changing(read_settings(config, overrides)) as engine:
        token = Accounts(engine, f"cli:{name_user()}", name_place()).add_token(name, role)
        typer.echo(token)
        typer.echo(f"The token {name} is added: {role}. It is not shown again.", err=True)


@token_app.command("remove")
def remove_token(name: _TokenName, is_sure: IsSure = False, config: Config = None, overrides: Overrides = None) -> None:
    """Remove a token: it is worthless from now on."""
    with one_sentence():
        ask_first(f"The token {name} is removed and worthless then.", f"Remove {name}?", is_sure)
        with changing(read_settings(config, overrides)) as engine:
            Accounts(engine, f"cli:{name_user()}", name_place()).remove_token(name)
        say(f"The token {name} is removed.")


@token_app.command("list")
def list_tokens(as_json: Json = False, config: Config = None, overrides: Overrides = None) -> None:
    """List the tokens with their roles, without the tokens themselves."""
    with one_sentence():
        with looking(read_settings(config, overrides)) as engine:
            found = read_tokens(engine)
        _print([(one.name, one.role, one.added_ms) for one in found.values()], as_json)


def _print(rows: list[tuple[str, str, int]], as_json: bool) -> None:
    if as_json:
        names = ("name", "role", "added_ms")
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    for name, role, added_ms in rows:
        say(f"{name:20} {role:9} since {write_time(added_ms)}")


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(MOST_CHARS + 2).rstrip("\n")
    try:
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    except typer.Abort:
        raise SetupProblem("Nothing was changed.") from None
