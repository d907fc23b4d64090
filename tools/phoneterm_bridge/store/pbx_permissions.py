"""What a PBX said last of extensions and their users, and what follows from it for the directory. Asks no PBX.

Where the store has something else than the PBX says, the PBX wins, and the journal names both. A user of the directory
is multi user aware when every user of the PBX is whom the extensions belong to. What has not been told for too long
expires: it counts no more until it is told again. Times are milliseconds since 1970.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import names, tables
from phoneterm_bridge.store.database import writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.directory_proof import PBX_PERMISSION, SITE, Setting
from phoneterm_bridge.store.records import name_source

_UNTOLD_TYPE = "unknown"
_MOST_WHY_CHARS = 200
_MARK_CHARS = 8
_told = tables.pbx_permissions.c


class ToldExtension(NamedTuple):
    """What the PBX says of one extension of the directory. owner: its user's id there."""

    owner: str
    type: str
    is_multi_user_aware: bool


class Place(NamedTuple):
    """One extension of the directory, whose it is, and what the PBX said of it last; None when it never has.

    why_not: why the PBX did not tell the last time, "" when it did.
    """

    number: str
    endpoint: str
    user: str
    told: ToldExtension | None
    is_expired: bool
    told_ms: int
    why_not: str


class Following(NamedTuple):
    """Which PBX says who is multi user aware ("" for none), why it does not at present, since when; each extension."""

    source: str
    trouble: str
    trouble_ms: int
    places: tuple[Place, ...]


def read_following(engine: sa.Engine, user: str | None = None) -> Following:
    """Return what the PBX said last, of all extensions or of one user's."""
    where = sa.true() if user is None else tables.extensions.c.user == user
    with engine.connect() as connection:
        state = connection.execute(sa.select(tables.state)).one()
        places = tuple(_read_places(connection, where))
    return Following(name_source(state.permission_source), state.source_trouble, state.source_trouble_ms, places)


class PbxPermissions(Directory):
    """The directory as a PBX has it written; `name` is what people call that PBX."""

    def __init__(self, engine: sa.Engine, name: str, actor: str, place: str = "") -> None:
        """Write on behalf of this actor at this place."""
        super().__init__(engine, actor, place)
        self._engine = engine
        self._name = name

    def follow(self, where: str = "") -> None:
        """From now on the PBX says who is multi user aware; whoever it has not spoken of is not.

        where: which PBX of this name it is; what another one has said is forgotten.
        """
        mark = f"{self._name} {hashlib.sha256(where.encode()).hexdigest()[:_MARK_CHARS]}" if where else self._name
        with writing(self._engine) as connection:
            if connection.execute(_SOURCE).scalar_one() != mark:
                which = f"{self._name} ({where})" if where else self._name
                gone = _forget_all(connection)
                self._write_source(connection, mark, f"from now on {which} says who is multi user aware", *gone)

    def take(
        self, told: Mapping[str, ToldExtension], untold: Mapping[str, str], now_ms: int | None = None,
        asked: Iterable[Place] | None = None,
    ) -> frozenset[str]:  # fmt: skip
        """Take over what the PBX said just now of some extensions, and why it did not say it of others.

        asked: the extensions as they were before it was asked; where another program was told something meanwhile, or
        the extension is at another endpoint, nothing is taken over. Return the numbers for which that is so.
        """
        now_ms = self._now_ms() if now_ms is None else now_ms
        with self.together():
            connection = self._connection
            known = {place.number: place for place in _read_places(connection, _number.in_((*told, *untold)))}
            overtaken = frozenset(one.number for one in asked or () if _is_overtaken(known.get(one.number), one))
            for number, says in told.items():
                if number in known and number not in overtaken:  # else it was removed meanwhile
                    self._note_told(connection, known[number], _checked(says), now_ms)
            for number, why in untold.items():
                if number in known and number not in overtaken:
                    self._note_untold(connection, number, why)
            users = sorted({known[number].user for number in told if number in known})
            owned = _read_places(connection, tables.extensions.c.user.in_(users))
            for user in users:
                self._take_flag(connection, user, [place for place in owned if place.user == user])
        return overtaken

    def expire(self, numbers: Iterable[str], why: str, told_ms: Mapping[str, int] | None = None) -> None:
        """What the PBX said of these extensions counts no more; where it was said later than `told_ms`, it does."""
        with self._writing() as connection:
            wanted = []
            for number in sorted(numbers):
                here = _told.extension == number
                when = sa.true() if told_ms is None else _told.told_ms == told_ms[number]
                change = tables.pbx_permissions.update().where(here & when).values(is_expired=True)
                if connection.execute(change).rowcount:
                    wanted.append(number)
            if not wanted:  # they were removed meanwhile
                return
            now: list[Setting] = [(PBX_PERMISSION, number, {"is_expired": True}) for number in wanted]
            said = f"{self._name} has not said for too long who is multi user aware ({why}), so {', '.join(wanted)}"
            self._record_change(connection, SITE, f"{said} may not transfer", *now)

    def date_back(self) -> None:
        """What was said at a time that is still to come, by a clock that was put back, was said now at the latest."""
        now_ms = self._now_ms()
        with writing(self._engine) as connection:
            connection.execute(tables.pbx_permissions.update().where(_told.told_ms > now_ms).values(told_ms=now_ms))

    def note_away(self, trouble: str, what: str) -> None:
        """Record that the PBX does not tell any more, and why; what it said last counts."""
        self._note_state(trouble[:_MOST_WHY_CHARS], self._now_ms(), what)

    def note_back(self, what: str) -> None:
        """Record that it tells again."""
        self._note_state("", 0, what)

    def record(self, user: str, what: str) -> None:
        """Record what the PBX is asked for about a user, or what came of it."""
        with self._writing() as connection:
            self._record_change(connection, user, what)

    @property
    def _connection(self) -> sa.Connection:
        """The connection of the block `together`."""
        assert self._joint is not None
        return self._joint

    def _note_state(self, trouble: str, since_ms: int, what: str) -> None:
        with self._writing() as connection:
            connection.execute(tables.state.update().values(source_trouble=trouble, source_trouble_ms=since_ms))
            self._record_change(connection, self._name, what)  # it changes nobody's permissions

    def _write_source(self, connection: sa.Connection, mark: str, what: str, *more: Setting) -> None:
        values = {"permission_source": mark, "source_trouble": "", "source_trouble_ms": 0}
        connection.execute(tables.state.update().values(**values))
        self._record_change(connection, SITE, what, (SITE, SITE, {"permission_source": mark}), *more)

    def _note_told(self, connection: sa.Connection, place: Place, says: ToldExtension, now_ms: int) -> None:
        columns = {"owner": says.owner, "type": says.type, "multi_user_aware": says.is_multi_user_aware}
        columns |= {"is_expired": False}
        always = {"told_ms": now_ms, "why_not": ""}
        here = _told.extension == place.number
        change = tables.pbx_permissions.update().where(here).values(**columns, **always)
        if connection.execute(change).rowcount == 0:
            connection.execute(tables.pbx_permissions.insert().values(extension=place.number, **columns, **always))
        if place.told != says or place.is_expired:
            said = f"{self._name} says: type {says.type}, multi user aware {says.is_multi_user_aware}"
            if place.told is not None and place.told.owner != says.owner:
                said += f"; it belongs to user {says.owner} there (before, to {place.told.owner})"
            self._record_change(connection, place.number, said, (PBX_PERMISSION, place.number, columns))
        mine = connection.execute(
            sa.select(tables.extensions.c.type).where(tables.extensions.c.number == place.number)
        ).scalar_one()
        if mine != says.type:
            self._change_type(connection, place.number, mine, says.type)

    def _change_type(self, connection: sa.Connection, number: str, before: str, now: str) -> None:
        change = tables.extensions.update().where(tables.extensions.c.number == number)
        connection.execute(change.values(type=now))
        said = f"type {now}, as {self._name} has it (here it was {before})"
        self._record_change(connection, number, said, ("extension", number, {"type": now}))

    def _note_untold(self, connection: sa.Connection, number: str, why: str) -> None:
        """Note why it was not told; what was told before counts on."""
        short = why[:_MOST_WHY_CHARS]
        change = tables.pbx_permissions.update().where(_told.extension == number)
        if connection.execute(change.values(why_not=short)).rowcount == 0:
            columns = {"owner": "", "type": _UNTOLD_TYPE, "multi_user_aware": False, "is_expired": True}
            row = {"extension": number, "told_ms": 0, "why_not": short}
            connection.execute(tables.pbx_permissions.insert().values(**row, **columns))
            said = f"{self._name} does not tell whether it is multi user aware ({short})"
            self._record_change(connection, number, said, (PBX_PERMISSION, number, columns))

    def _take_flag(self, connection: sa.Connection, user: str, places: list[Place]) -> None:
        says = [place.told.is_multi_user_aware for place in places if place.told is not None]
        is_aware = bool(says) and all(says)
        here = tables.users.c.name == user
        before = connection.execute(sa.select(tables.users.c.multi_user_aware).where(here)).scalar_one()
        if before != is_aware:
            connection.execute(tables.users.update().where(here).values(multi_user_aware=is_aware))
            said = f"multi user aware {is_aware}, as {self._name} has it (here it was {before})"
            self._record_change(connection, user, said, ("user", user, {"multi_user_aware": is_aware}))


def stop_following(engine: sa.Engine, actor: str, place: str = "") -> None:
    """From now on the store alone says who is multi user aware, as it does now; nothing happens where it does already.

    What a PBX has said is forgotten.
    """
    store = PbxPermissions(engine, "", actor, place)
    with writing(engine) as connection:
        if connection.execute(_SOURCE).scalar_one() != "":
            gone = _forget_all(connection)
            store._write_source(connection, "", "from now on the store alone says who is multi user aware", *gone)


def _forget_all(connection: sa.Connection) -> list[Setting]:
    """Forget all that a PBX has said."""
    numbers = connection.execute(sa.select(_told.extension)).scalars().all()
    connection.execute(tables.pbx_permissions.delete())
    return [(PBX_PERMISSION, number, None) for number in numbers]


_SOURCE = sa.select(tables.state.c.permission_source)
_TOLD_COLUMNS = (
    _told.owner, _told.type.label("told_type"), _told.multi_user_aware, _told.is_expired, _told.told_ms, _told.why_not,
)  # fmt: skip
_number = tables.extensions.c.number


def _read_places(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Place]:
    joined = tables.extensions.outerjoin(tables.pbx_permissions)
    query = sa.select(tables.extensions, *_TOLD_COLUMNS).select_from(joined).where(where).order_by(_number)
    return list(map(_place_of, connection.execute(query)))


def _place_of(row: sa.Row) -> Place:
    told = None if not row.owner else ToldExtension(row.owner, row.told_type, row.multi_user_aware)
    return Place(
        row.number, row.endpoint, row.user, told, bool(row.is_expired), row.told_ms or 0, row.why_not or ""
    )  # fmt: skip


def _is_overtaken(now: Place | None, before: Place) -> bool:
    """Say whether something else has become known of an extension since."""
    return now is not None and (now.endpoint, now.told_ms) != (before.endpoint, before.told_ms)


def _checked(says: ToldExtension) -> ToldExtension:
    """Return what the PBX says with a type that the directory can have."""
    is_right = names.problem_of_pbx_name("type", says.type) is None
    return says if is_right else says._replace(type=_UNTOLD_TYPE)
