"""Answers why a transfer did not work, or that it did: a sentence and the whole timeline. Does not print it.

Needs no running bridge: it reads the journal.
"""

from datetime import datetime

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import sightings, troubles
from phoneterm_bridge.store.directory_proof import SITE
from phoneterm_bridge.store.journal_reading import Change, Timeline, find_change, find_nearest, find_user
from phoneterm_bridge.terminals.troubles import describe_trouble
from phoneterm_bridge.wording.times import ms_of, say_minute
from phoneterm_bridge.wording.why import (
    as_fields,
    describe_change,
    describe_none,
    describe_unknown,
    explain,
    is_about,
    is_of_permission,
    is_unconfirmed,
)

_UNCONFIRMED_MS = 10_000  # a phone gives up after 3 s, and reports to the second


def answer_why(
    engine: sa.Engine, extension: str, moment: datetime | None, op: str | None = None, is_running: bool = True
) -> dict:
    """Return the answer as plain values, with a `sentence` for people; `command` is null if there was none then.

    `not_known` says why the phone may have refused something since, or then, that nobody knows of; null if it cannot.
    `line` says what is wrong with the phone's connection now, if anything is known.
    """
    at_ms = None if moment is None else ms_of(moment)
    user, found = find_user(engine, extension), _find(engine, extension, at_ms, op)
    if user is None and found is None:
        raise SetupProblem(f"There is no extension {extension!r}.")
    is_there = found is not None and is_about(found, at_ms)
    not_known = _find_unknown(engine, extension, moment, is_running, is_there)
    line = _find_line_trouble(engine, extension) if is_running else None
    if found is None or not is_there:
        nearest = None if found is None else as_fields(found)
        sentence = describe_none(extension, moment, found)
        fields = {"command": None, "nearest": nearest, "not_known": not_known, "line": line}
        return {"sentence": _join(sentence, not_known, line), **fields}
    sentence, change = explain_with_change(engine, found, user)
    fields = {"command": as_fields(found), "change": change and change._asdict(), "not_known": not_known}
    return {"sentence": _join(sentence, not_known, line), **fields, "line": line}


def explain_with_change(engine: sa.Engine, found: Timeline, user: str | None) -> tuple[str, Change | None]:
    """Say what became of a command and why, and for a refusal by the directory, whose change may have caused it."""
    sentence, change = explain(found), None
    if is_of_permission(found):
        change = find_change(
            engine,
            (user or "", found.command.tid, found.command.extension, SITE),
            min(line.seq for line in found.lines),
        )
    if change is not None:
        sentence += f" {describe_change(change)}"
    return sentence, change


def _find(engine: sa.Engine, extension: str, at_ms: int | None, op: str | None) -> Timeline | None:
    """Return what is nearest; for a phone's report that it got no answer, what it had sent, if that has arrived."""
    found = find_nearest(engine, extension, at_ms, op)
    if found is None or not is_unconfirmed(found):
        return found
    sent = find_nearest(engine, extension, found.command.received_ms, op, is_sent=True)
    is_it = sent is not None and abs(sent.command.received_ms - found.command.received_ms) <= _UNCONFIRMED_MS
    return sent if is_it else found


def _find_unknown(
    engine: sa.Engine, extension: str, moment: datetime | None, is_running: bool, is_found: bool
) -> str | None:
    """Return why it cannot be known what the extension's phones have refused by themselves, if that is so.

    A phone that was never seen is worth a word only where nothing was found.
    """
    with engine.connect() as connection:
        seen = sightings.read_at(connection, extension)
    for tid, sighting in seen.items():
        if sighting is not None or not is_found:
            sentence = describe_unknown(tid, sighting, moment, is_running)
            if sentence is not None:
                return sentence
    return None


def _find_line_trouble(engine: sa.Engine, extension: str) -> str | None:
    """Return what is wrong with the connections of the extension's phones: slowed down, cut off, or two of one name."""
    with engine.connect() as connection:
        standing = troubles.read_at(connection, extension)
    told = [one for one in standing if one.what in (troubles.EXCESS, troubles.TWICE)]
    sentences = [
        describe_trouble(one.what, [one.tid], f"{one.detail} (since {say_minute(one.since_ms)})") for one in told
    ]
    return _join(*sentences) or None


def _join(*sentences: str | None) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
