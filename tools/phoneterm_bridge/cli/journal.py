"""`phoneterm journal`: prove that nobody has changed the journal, and list commands and changes of permissions.

Does no work of its own, and needs no running bridge.
"""

import json
from datetime import datetime
from typing import Annotated

import typer

from phoneterm_bridge.cli.options import Config, Json, Overrides, looking, one_sentence, read_settings
from phoneterm_bridge.cli.saying import say
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.journal_commands import Wanted, read_commands
from phoneterm_bridge.store.journal_proof import Head, Proof, is_directory_told, prove, read_head
from phoneterm_bridge.store.journal_reading import read_changes
from phoneterm_bridge.wording.times import ms_of, read_moment, write_time

app = typer.Typer(help="The journal of commands and changes.", no_args_is_help=True, pretty_exceptions_enable=False)
_MOST = 1_000_000_000
_Most = Annotated[int, typer.Option(min=1, max=_MOST, help="How many, the newest first.")]


@app.command()
def verify(
    noted: Annotated[
        str | None,
        typer.Option("--since", "--noted", metavar="HEAD", help="A head kept elsewhere, SEQ:HASH, that must be in it."),
    ] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Prove that no entry was changed, added or removed; exit code 1 names the first one that was.

    Also that the lists, the rights and the store's schema are what follows from the entries. Only with --since, a head
    kept elsewhere, is it seen that the end was cut off, or that all was written anew.
    """
    with one_sentence():
        head = None if noted is None else _read_head(noted)
        with looking(read_settings(config, overrides)) as engine:
            proof, is_told = prove(engine, head), is_directory_told(engine)
        if proof.problem is not None:
            raise SetupProblem(_describe_break(proof))
        typer.echo(
            f"The journal is whole: {proof.head.seq} entries. Note its head elsewhere to prove it again later:\n"
            f"{proof.head.write()}"
        )
        if proof.blotted:
            typer.echo(
                f"The numbers of {proof.blotted} entries were blotted out, so of these only their place is proven."
            )
        if not is_told:
            typer.echo(
                "The entries of an earlier version do not tell all rights, so these are not compared: the next start "
                "of the bridge, or the next change, writes them down."
            )


@app.command()
def head(config: Config = None, overrides: Overrides = None) -> None:
    """Print the head of the journal, SEQ:HASH, to keep outside of this machine for `journal verify --since`."""
    with one_sentence(), looking(read_settings(config, overrides)) as engine:
        typer.echo(read_head(engine).write())


@app.command()
def changes(
    subject: Annotated[
        str | None, typer.Argument(help="Only changes of this user, extension or terminal, of `site` or of `settings`.")
    ] = None,
    most: _Most = 20,
    as_json: Json = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """List who changed what in the directory, when and from where."""
    with one_sentence():
        with looking(read_settings(config, overrides)) as engine:
            found = read_changes(engine, subject, most)
        if as_json:
            typer.echo(json.dumps([change._asdict() for change in found], indent=2))
            return
        for change in found:
            at = write_time(change.at_ms)
            say(f"{at}  {change.subject}: {change.what}  ({change.who}; {change.where or '-'})")


@app.command()
def commands(
    terminal: Annotated[str | None, typer.Option(help="Only of this terminal.")] = None,
    extension: Annotated[str | None, typer.Option(help="Only of this extension.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from then on: 14:05, or '2026-03-01 14:05'.")] = None,
    until: Annotated[str | None, typer.Option(help="Only up to then.")] = None,
    result: Annotated[
        str | None, typer.Option(help="Only with this result or reason: done, failed, rejected, refused, busy, ...")
    ] = None,
    most: _Most = 20,
    as_json: Json = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """List transfers and what became of them; `refused`: the phone itself refused it, so it was never sent."""
    with one_sentence():
        since_ms, until_ms = _read_time(since), _read_time(until)
        if since_ms is not None and until_ms is not None and since_ms > until_ms:
            raise SetupProblem("There is no time between --since and --until: --since is the later one.")
        wanted = Wanted(terminal, extension, since_ms, until_ms, result)
        with looking(read_settings(config, overrides)) as engine:
            found = read_commands(engine, wanted, most)
        if as_json:
            typer.echo(json.dumps([one._asdict() for one in found], indent=2))
            return
        for one in found:
            asked = f"{one.op or '-':9} {one.number or '-':16}"
            ended = f"{one.state or 'open'}{f': {one.reason}' if one.reason else ''}"
            say(f"{write_time(one.received_ms)}  {one.extension:8} {one.tid:16} {asked} {ended}")


def _read_time(text: str | None) -> int | None:
    return None if text is None else ms_of(read_moment(text, datetime.now()))


def _read_head(text: str) -> Head:
    seq, _, digest = text.partition(":")
    try:
        head = Head(int(seq), bytes.fromhex(digest))
    except ValueError:
        head = Head(0, b"")
    if head.seq < 1 or len(head.hash) != 32:
        raise SetupProblem("A noted head is SEQ:HASH, as `phoneterm journal verify` prints it.")
    return head


def _describe_break(proof: Proof) -> str:
    at = ""
    if proof.broken_at_ms is not None and proof.problem != "it is missing":
        at = f" of {write_time(proof.broken_at_ms)}"
    place = "" if proof.broken_seq is None else f" at entry {proof.broken_seq}{at}"
    return f"The journal is broken{place}: {proof.problem}."
