"""`phoneterm why`: says in one sentence why a transfer at about a given time did not work, or that it did.

Does no work of its own, and needs no running bridge: it reads the journal.
"""

import json
from datetime import datetime
from enum import Enum
from typing import Annotated

import typer

from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.cli.options import Config, Overrides, looking, one_sentence, read_settings
from phoneterm_bridge.pbx.operations import all_operations
from phoneterm_bridge.store.owner import is_bridge_running
from phoneterm_bridge.wording.outside import show
from phoneterm_bridge.wording.times import read_moment

_Operation = Enum("_Operation", {row.name: row.name for row in all_operations()}, type=str)  # type: ignore[misc]
_WITH_CODES = ", ".join(f"{row.code} ({row.name})" for row in all_operations() if row.code)


def why(
    extension: Annotated[str, typer.Argument(metavar="EXT", help="The extension at which it was keyed.")],
    at: Annotated[
        str | None, typer.Option(help="About when: 14:05, or '2026-03-01 14:05'; by default the last one.")
    ] = None,
    op: Annotated[_Operation | None, typer.Option(help=f"Only one operation: {_WITH_CODES}, ...")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole timeline, for machines.")] = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Say why a transfer did not work, or that it did."""
    with one_sentence():
        moment = None if at is None else read_moment(at, datetime.now())
        settings = read_settings(config, overrides)
        with looking(settings) as engine:
            is_running = is_bridge_running(settings.store.path)
            answer = answer_why(engine, extension, moment, op and op.value, is_running)
        typer.echo(json.dumps(answer, indent=2) if as_json else show(answer["sentence"]))
