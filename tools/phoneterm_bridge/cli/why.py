"""`phoneterm why`: says in one sentence why a transfer at about a given time did not work, or that it did.

Does no work of its own, and needs no running bridge: it reads the journal.
"""

import json
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated

import sqlalchemy as sa
import typer

from phoneterm_bridge.cli.options import Config, Overrides, looking, one_sentence, read_settings
from phoneterm_bridge.pbx.operations import all_operations
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.journal_reading import find_change, find_nearest, find_user
from phoneterm_bridge.wording.why import as_fields, describe_change, describe_none, explain, is_about, is_of_permission

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
        with looking(read_settings(config, overrides)) as engine:
            answer = answer_why(engine, extension, moment, op and op.value)
        typer.echo(json.dumps(answer, indent=2) if as_json else answer["sentence"])


def answer_why(engine: sa.Engine, extension: str, moment: datetime | None, op: str | None = None) -> dict:
    """Return the answer as plain values, with a `sentence` for people; `command` is null if there was none then."""
    at_ms = None if moment is None else int(moment.timestamp() * 1000)
    user, found = find_user(engine, extension), find_nearest(engine, extension, at_ms, op)
    if user is None and found is None:
        raise SetupProblem(f"There is no extension {extension!r}.")
    if found is None or not is_about(found, at_ms):
        nearest = None if found is None else as_fields(found)
        return {"sentence": describe_none(extension, moment, found), "command": None, "nearest": nearest}
    sentence, change = explain(found), None
    if is_of_permission(found):
        change = find_change(engine, (user or "", found.command.tid, "site"), found.command.received_ms)
    if change is not None:
        sentence += f" {describe_change(change)}"
    return {"sentence": sentence, "command": as_fields(found), "change": change and change._asdict()}


def read_moment(text: str, now: datetime) -> datetime:
    """Return the local time that a text means: without a date it is the last time with this clock reading."""
    for form in ("%H:%M", "%H:%M:%S"):
        try:
            moment = datetime.combine(now.date(), datetime.strptime(text, form).time())
        except ValueError:
            continue
        return moment if moment <= now else moment - timedelta(days=1)
    try:
        return datetime.fromisoformat(text).astimezone().replace(tzinfo=None)
    except ValueError:
        raise SetupProblem(f"The time {text!r} is not written as 14:05 or '2026-03-01 14:05'.") from None
