"""A user as the page *Roles and phone numbers* shows one: extensions, permissions, how far each is. Changes nothing.

The permission User is multi user aware is offered only where it means something: to users with an extension of the type
phone terminal. It is in force when every terminal of the user has said so.
"""

import asyncio
from typing import NamedTuple

import sqlalchemy as sa
from phoneterm.core.operations import FLAGS

from phoneterm_bridge.console.rows import AT_NEXT_START, IN_FORCE, PENDING, Rows
from phoneterm_bridge.console.sources import Sources
from phoneterm_bridge.permissions.describing import describe_source, describe_untold
from phoneterm_bridge.policy.site import classes_of
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.pbx_permissions import Following, read_following
from phoneterm_bridge.store.records import TERMINAL_TYPE, TerminalRecord
from phoneterm_bridge.wording.names import name_some

TYPE_WORDS = {
    TERMINAL_TYPE: "phone terminal", "fax": "fax", "queue": "queue", "ivr": "voice menu", "voicemail": "voice mail",
    "conference": "conference",
}  # fmt: skip


class Phone(NamedTuple):
    """One terminal with its rights, and how far they are there."""

    record: TerminalRecord
    state: str
    standing: str
    since_ms: int | None


class Number(NamedTuple):
    """One extension; why_not: why its user's permission does not count there, if so."""

    number: str
    kind: str
    endpoint: str
    context: str
    why_not: str
    phones: tuple[Phone, ...]


class Person(NamedTuple):
    """One user. standing and since_ms: of the permission User is multi user aware, over all terminals.

    waits_for: the terminals that it is not in force at, where others have it; else empty. told: which PBX says who is
    multi user aware, in sentences; "" where the store alone says it.
    """

    name: str
    is_aware: bool
    why_not: str
    standing: str
    since_ms: int | None
    waits_for: str
    numbers: tuple[Number, ...]
    operations: tuple[str, ...]
    classes: tuple[str, ...]
    told: str = ""


async def read_person(sources: Sources, rows: Rows, name: str) -> Person | None:
    """Return a user; None when there is none of this name."""
    user, extensions = await asyncio.to_thread(_read, sources.engine, name)
    following = await asyncio.to_thread(read_following, sources.engine, name)
    if user is None:
        return None
    records = [one for one in sources.directory.snapshot.terminals.values() if one.user == name]
    numbers = tuple(_describe(rows, extension, records) for extension in extensions)
    phones = [phone for number in numbers for phone in number.phones if not number.why_not]
    live = [phone for phone in phones if not phone.record.is_revoked]
    standing, since_ms = _join(live)
    why_not = ""
    if not any(not number.why_not for number in numbers):
        why_not = f"{name} has no extension of the type phone terminal, so there is no keypad to transfer with."
    late = [phone.record.tid for phone in live if phone.standing == standing != IN_FORCE]
    waits_for = name_some(late) if len(late) < len(live) else ""
    classes = classes_of(sources.settings.phones) or ()
    told, is_aware = _describe_told(following), user.multi_user_aware
    return Person(name, is_aware, why_not, standing, since_ms, waits_for, numbers, tuple(FLAGS), classes, told)


def _describe_told(following: Following) -> str:
    if not following.source:
        return ""
    untold = (describe_untold(following.source, place) for place in following.places)
    return " ".join(sentence for sentence in (describe_source(following), *untold) if sentence)


def _read(engine: sa.Engine, name: str) -> tuple[sa.Row | None, list[sa.Row]]:
    of_user = tables.extensions.c.user == name
    with engine.connect() as connection:
        user = connection.execute(sa.select(tables.users).where(tables.users.c.name == name)).first()
        query = sa.select(tables.extensions).where(of_user).order_by(tables.extensions.c.number)
        return user, list(connection.execute(query).all())


def _describe(rows: Rows, extension: sa.Row, records: list[TerminalRecord]) -> Number:
    kind = TYPE_WORDS.get(extension.type, extension.type)
    why_not = ""
    if extension.type != TERMINAL_TYPE:
        why_not = f"{extension.number} is of the type {kind}; only a phone terminal has a keypad to transfer with."
    phones = []
    for record in records:
        if record.extension == extension.number:
            row = rows.find(record.tid)
            phones.append(Phone(record, row.state if row else "", *rows.standing_of(record)))
    return Number(extension.number, kind, extension.endpoint, extension.context, why_not, tuple(phones))


def _join(phones: list[Phone]) -> tuple[str, int | None]:
    """Return how far a permission is that all these terminals must know, and since when."""
    words = {phone.standing for phone in phones}
    for word in (PENDING, AT_NEXT_START):
        if word in words:
            return word, None
    if not phones:
        return "", None
    times = [phone.since_ms for phone in phones if phone.since_ms is not None]
    return IN_FORCE, max(times, default=None)
