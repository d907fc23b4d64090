"""`phoneterm journal`: prove that nobody has changed the journal, and list who changed which permission.

Does no work of its own, and needs no running bridge.
"""

import datetime
import json
from typing import Annotated

import typer

from phoneterm_bridge.cli.options import Config, Overrides, looking, one_sentence, read_settings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.journal_proof import Head, Proof, prove
from phoneterm_bridge.store.journal_reading import read_changes

app = typer.Typer(help="The journal of commands and changes.", no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def verify(
    noted: Annotated[str | None, typer.Option(help="A head noted earlier, SEQ:HASH, that must be in it.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Prove that no entry was changed, added or removed; exit code 1 names the first one that was."""
    with one_sentence():
        head = None if noted is None else _read_head(noted)
        with looking(read_settings(config, overrides)) as engine:
            proof = prove(engine, head)
        if proof.problem is not None:
            raise SetupProblem(_describe_break(proof))
        typer.echo(
            f"The journal is whole: {proof.head.seq} entries. Note its head elsewhere to prove it again later:\n"
            f"{proof.head.seq}:{proof.head.hash.hex()}"
        )


@app.command()
def changes(
    subject: Annotated[
        str | None, typer.Argument(help="Only changes of this user, extension or terminal, of `site` or of `settings`.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
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
            at = datetime.datetime.fromtimestamp(change.at_ms / 1000)
            typer.echo(
                f"{at:%Y-%m-%d %H:%M:%S}  {change.subject}: {change.what}  ({change.who}; {change.where or '-'})"
            )


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
        at = f" of {datetime.datetime.fromtimestamp(proof.broken_at_ms / 1000):%Y-%m-%d %H:%M:%S}"
    return f"The journal is broken at entry {proof.broken_seq}{at}: {proof.problem}."
