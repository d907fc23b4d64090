"""Reads the directory: its revision, a snapshot of all terminals, and lists for people. Does not write it."""

import sqlalchemy as sa

from phoneterm_bridge.store import tables
from phoneterm_bridge.store.records import TERMINAL_TYPE, Snapshot, TerminalRecord, name_source


def read_revision(engine: sa.Engine) -> int:
    """Return the directory's revision: one row, cheap enough to read several times a second."""
    with engine.connect() as connection:
        return connection.execute(sa.select(tables.state.c.revision)).scalar_one()


def read_snapshot(engine: sa.Engine) -> Snapshot:
    """Return all terminals with their extensions, users and permissions, as of one revision."""
    wide = tables.terminals.join(tables.extensions).join(tables.users).join(tables.permissions)
    wide = wide.outerjoin(tables.pbx_permissions, tables.pbx_permissions.c.extension == tables.extensions.c.number)
    with engine.connect() as connection:
        state = connection.execute(sa.select(tables.state)).one()
        rows = connection.execute(sa.select(*_WIDE_COLUMNS).select_from(wide)).all()
    terminals = {row.tid: _record(row, state) for row in rows}
    groups = {row.tid: row.site_group for row in rows if row.site_group}
    external = (state.external_revoked, state.external_since_ms)
    source = name_source(state.permission_source)
    return Snapshot(state.revision, terminals, *external, state.source_trouble, source, groups)


def read_users(engine: sa.Engine) -> list[tuple[str, bool, list[str]]]:
    """Return (name, is multi user aware, extension numbers) of every user, by name."""
    with engine.connect() as connection:
        users = connection.execute(sa.select(tables.users).order_by(tables.users.c.name)).all()
        owned = connection.execute(sa.select(tables.extensions.c.user, tables.extensions.c.number)).all()
    return [
        (user.name, user.multi_user_aware, sorted(row.number for row in owned if row.user == user.name))
        for user in users
    ]


_WIDE_COLUMNS = (
    tables.terminals.c.tid, tables.terminals.c.extension, tables.terminals.c.password_hash,
    tables.terminals.c.mosquitto_hash, tables.terminals.c.mac_key, tables.terminals.c.revoked,
    tables.extensions.c.endpoint, tables.extensions.c.context, tables.extensions.c.type, tables.extensions.c.user,
    tables.users.c.multi_user_aware, tables.permissions.c.blind, tables.permissions.c.attended,
    tables.permissions.c.classes, tables.permissions.c.allow_prefixes, tables.permissions.c.deny_prefixes,
    tables.terminals.c.site_group,
    tables.pbx_permissions.c.type.label("told_type"), tables.pbx_permissions.c.is_expired,
    tables.pbx_permissions.c.multi_user_aware.label("told_aware"),
)  # fmt: skip


def _record(row: sa.Row, state: sa.Row) -> TerminalRecord:
    """Return a terminal; where a PBX says who is multi user aware, it and the store must both say so."""
    is_told = state.permission_source != ""
    is_type_told = is_told and row.told_type is not None and row.type == TERMINAL_TYPE
    return TerminalRecord(
        tid=row.tid,
        extension=row.extension,
        endpoint=row.endpoint,
        context=row.context,
        extension_type=row.told_type if is_type_told else row.type,
        user=row.user,
        is_multi_user_aware=row.multi_user_aware and (not is_told or row.told_aware is not False),
        allows_blind=row.blind,
        allows_attended=row.attended,
        classes=_names(row.classes),
        is_revoked=row.revoked,
        key=bytes(row.mac_key),
        password_hash=row.password_hash,
        mosquitto_hash=row.mosquitto_hash,
        allow_prefixes=_names(row.allow_prefixes),
        deny_prefixes=_names(row.deny_prefixes),
        is_external_revoked=state.external_revoked,
        is_unconfirmed=is_told and row.is_expired is not False,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)
