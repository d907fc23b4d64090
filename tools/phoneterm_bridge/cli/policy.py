"""`phoneterm policy`: the rules on numbers, for one terminal, and on external transfers of the whole site.

Does not talk to a running bridge: it writes the store, and the bridge notices within a quarter of a second. The rules
for all terminals are settings, in the section policy.
"""

import json
from typing import Annotated

import typer

from phoneterm_bridge.cli.completion import complete_tid
from phoneterm_bridge.cli.options import (
    Config,
    Json,
    Overrides,
    looking,
    one_sentence,
    open_directory,
    read_settings,
    read_terminals,
)
from phoneterm_bridge.cli.saying import say
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.records import Snapshot

app = typer.Typer(
    help="Which numbers a terminal may transfer to, and external transfers of the whole site.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Tid = Annotated[str, typer.Argument(help="The terminal's id.", autocompletion=complete_tid)]


@app.command()
def numbers(
    tid: _Tid,
    allow: Annotated[str | None, typer.Option(help="All prefixes it may transfer to: 030,0171; '' for none.")] = None,
    deny: Annotated[str | None, typer.Option(help="All prefixes it may not transfer to.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Set the prefixes of numbers that a terminal may and may not transfer to, whatever their class."""
    with open_directory(config, overrides) as directory:
        record = read_terminals(config, overrides).get(tid)
        if record is None:
            raise SetupProblem(f"There is no terminal {tid!r}.")
        if allow is None and deny is None:
            raise SetupProblem("Say which numbers: --allow PREFIXES or --deny PREFIXES.")
        allowed = record.allow_prefixes if allow is None else _split(allow)
        denied = record.deny_prefixes if deny is None else _split(deny)
        directory.set_prefixes(tid, allowed, denied)
        say(f"{tid}: numbers {_describe(allowed, denied)}.")


@app.command()
def revoke(config: Config = None, overrides: Overrides = None) -> None:
    """Switch transfers to numbers outside off, for all terminals."""
    with open_directory(config, overrides) as directory:
        directory.set_external_revoked(True, "by hand")
        typer.echo("No terminal may transfer to numbers outside any more; phoneterm policy restore lets them again.")


@app.command()
def restore(config: Config = None, overrides: Overrides = None) -> None:
    """Let terminals transfer to numbers outside again, as far as they may."""
    with open_directory(config, overrides) as directory:
        directory.set_external_revoked(False, "by hand")
        typer.echo("Terminals may transfer to numbers outside again, as far as each may.")


@app.command()
def show(as_json: Json = False, config: Config = None, overrides: Overrides = None) -> None:
    """Show the rules in force."""
    with one_sentence():
        settings = read_settings(config, overrides)
        with looking(settings) as engine:
            snapshot = reading.read_snapshot(engine)
        if as_json:
            typer.echo(json.dumps(_as_fields(settings.policy, snapshot), indent=2))
            return
        for name, value in settings.policy.model_dump().items():
            shown = ", ".join(value) if isinstance(value, tuple) else value
            say(f"{name:20} {'none' if shown in ('', 0) else shown}")
        say(f"{'outside numbers':20} {'REVOKED' if snapshot.is_external_revoked else 'as permitted'}")
        for record in snapshot.terminals.values():
            if record.allow_prefixes or record.deny_prefixes:
                say(f"{record.tid:20} {_describe(record.allow_prefixes, record.deny_prefixes)}")


def _describe(allow: tuple[str, ...], deny: tuple[str, ...]) -> str:
    allowed, denied = (", ".join(some) or "none" for some in (allow, deny))
    return f"allowed {allowed}; denied {denied}"


def _as_fields(policy: PolicySettings, snapshot: Snapshot) -> dict:
    """Return the rules as plain values: those for all, and by terminal those for one."""
    terminals = {
        record.tid: {"allow": record.allow_prefixes, "deny": record.deny_prefixes}
        for record in snapshot.terminals.values()
    }
    return policy.model_dump() | {"is_external_revoked": snapshot.is_external_revoked, "terminals": terminals}


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
