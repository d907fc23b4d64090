"""Imports users, extensions and terminals from a CSV file, and exports them. Does not print.

A file is imported as a whole or not at all. The changes and the new terminals' secrets are made before the store is
locked, and then written at once, so that a running bridge is not held up. The secrets are passed to `keep_secrets`
before anything is written; if it raises, nothing is.
"""

from collections.abc import Callable, Collection
from contextlib import suppress

import sqlalchemy as sa

from phoneterm_bridge.csv_files.plan import USUAL_CONTEXT, ImportPlan, Known
from phoneterm_bridge.csv_files.rows import CsvRow, Mistake, read_rows, write_rows
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.enrolling import prepare_terminal
from phoneterm_bridge.store.records import Enrolment, TerminalRecord


def plan_import(
    engine: sa.Engine | None, content: bytes, classes: Collection[str] | None = None, context: str = USUAL_CONTEXT
) -> ImportPlan:
    """Return the changes that a file would make in the store (None: there is none yet), and its mistakes.

    classes: the classes of numbers that the digit map has; None if that is not known. context: of new
    extensions for which the file has none.
    """
    return plan_rows(engine, *read_rows(content), classes, context)


def plan_rows(
    engine: sa.Engine | None,
    rows: list[CsvRow],
    mistakes: list[Mistake],
    classes: Collection[str] | None = None,
    context: str = USUAL_CONTEXT,
) -> ImportPlan:
    """Return the same for rows that have been read, with the mistakes in their form."""
    plan = ImportPlan(Known({}, {}, {}) if engine is None else read_known(engine), classes, context)
    for row in rows:
        plan.add(row)
    plan.mistakes[:0] = mistakes
    plan.mistakes.sort(key=lambda mistake: mistake.line)
    return plan


class _Rehearsed(Exception):
    """Undoes a rehearsal."""


def carry_out(directory: Directory, plan: ImportPlan, keep_secrets: Callable[[list[Enrolment]], None]) -> None:
    """Make all changes of a plan, or none; SetupProblem also when the directory was changed by others meanwhile."""
    if plan.mistakes:
        raise ValueError("a plan with mistakes cannot be carried out")
    prepared = {step.arguments[0]: prepare_terminal(step.arguments[0]) for step in new_terminals(plan)}
    with directory.gathered():
        for step in plan.steps:
            more = (prepared[step.arguments[0]],) if step.method == "add_terminal" else ()
            getattr(directory, step.method)(*step.arguments, *more)
        keep_secrets([one.enrolment for one in prepared.values()])


def rehearse(directory: Directory, plan: ImportPlan, check_secrets: Callable[[list[Enrolment]], None]) -> None:
    """Do all that `carry_out` does and undo it, so that whatever stops that one stops this."""

    def check(enrolments: list[Enrolment]) -> None:
        check_secrets(enrolments)
        raise _Rehearsed

    with suppress(_Rehearsed):
        carry_out(directory, plan, check)
    with directory.together():
        pass  # the store can be written now


def new_terminals(plan: ImportPlan) -> list:
    """Return the steps that add a terminal."""
    return [step for step in plan.steps if step.method == "add_terminal"]


def export(engine: sa.Engine) -> str:
    """Return all users, extensions and terminals that are not revoked, as a file; secrets are not in it."""
    known, snapshot = read_known(engine), reading.read_snapshot(engine)
    terminals, groups = snapshot.terminals, snapshot.groups
    rows = []
    for user, is_aware in sorted(known.users.items()):
        first = {"user": user, "multi_user_aware": "yes" if is_aware else "no"}
        owned = sorted(number for number, extension in known.extensions.items() if extension[0] == user)
        for number in owned:
            extension = first | {"extension": number}
            extension |= dict(zip(("endpoint", "context", "type"), known.extensions[number][1:], strict=True))
            here = [one for one in terminals.values() if one.extension == number and not one.is_revoked]
            here.sort(key=lambda one: one.tid)
            rows += [extension | _describe(one, groups.get(one.tid, "")) for one in here] or [extension]
        rows += [] if owned else [first]
    return write_rows(rows)


def read_known(engine: sa.Engine) -> Known:
    """Return what the directory has."""
    columns = tables.extensions.c
    query = sa.select(columns.number, columns.user, columns.endpoint, columns.context, columns.type)
    with engine.connect() as connection:
        users = {row.name: row.multi_user_aware for row in connection.execute(sa.select(tables.users))}
        extensions = {row[0]: tuple(row[1:]) for row in connection.execute(query)}
    snapshot = reading.read_snapshot(engine)
    terminals = {tid: _fields_of(one, snapshot.groups.get(tid, "")) for tid, one in snapshot.terminals.items()}
    return Known(users, extensions, terminals)


def _fields_of(record: TerminalRecord, group: str) -> dict:
    return {
        "extension": record.extension,
        "is_revoked": record.is_revoked,
        "operations": record.flags,
        "classes": record.classes,
        "allow": record.allow_prefixes,
        "deny": record.deny_prefixes,
        "group": group,
    }


def _describe(record: TerminalRecord, group: str) -> dict[str, str]:
    fields = _fields_of(record, group)
    cells = {name: " ".join(fields[name]) or "none" for name in ("operations", "classes", "allow", "deny")}
    return cells | {"terminal": record.tid, "group": group or "none"}
