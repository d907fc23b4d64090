"""What the journal says that the directory is, derived from its changes alone, and compared with the tables.

Does not write. A change names what it has set as `now`: a list of [kind, name, columns], with null for what it removed.
So a right that was given past the journal differs from what follows from it, and no later change hides that. Secrets
are in it as their hash. Changes of an early version do not have `now`: the first one that does, `whole`, names all that
was there before.
"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa

from phoneterm_bridge.store import tables

USER, EXTENSION, TERMINAL, SITE = "user", "extension", "terminal", "site"
ACCOUNT, TOKEN = "account", "token"
PBX_PERMISSION = "pbx permission"
GROUP = "site group of"  # a terminal; of its own, so that entries from before there were groups tell all they did
# [kind, name, columns], the columns None for what is gone.
Setting = tuple[str, str, dict[str, Any] | None]
_PERMISSIONS = tuple(column for column in tables.permissions.c if column.name != "tid")
_NEVER_CHANGED = {"external_revoked": False, "external_since_ms": 0, "permission_source": ""}
_PBX_TOLD = ("owner", "type", "multi_user_aware", "is_expired")


class Derived:
    """The directory as the changes so far have made it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[str, Any]] = {(SITE, SITE): dict(_NEVER_CHANGED)}
        self._has_old = False
        self._has_new = False

    @property
    def is_told(self) -> bool:
        """Return whether the changes tell all; a store of an early version that nobody has changed since does not."""
        return self._has_new or not self._has_old

    def follow(self, row: Any) -> str | None:
        """Take a row of the journal into account; return what is wrong with it."""
        if row.stage != "change":
            return None
        try:
            detail = json.loads(row.detail)
            if "now" not in detail:
                self._has_old = True
                return "it does not say what it has changed" if self._has_new else None
            if self._has_old and not self._has_new and not detail.get("whole"):
                return "it does not say what was there before"
            self._has_new = True
            for kind, name, columns in detail["now"]:
                self._set(kind, name, columns)
        except (ValueError, TypeError, KeyError):
            return "it does not say what it has changed"
        return None

    def find_difference(self, connection: sa.Connection) -> str | None:
        """Return what the tables have otherwise than the changes have made it."""
        if not self.is_told:
            return None
        present = read_all(connection)
        for kind, name in sorted(present.keys() | self._known.keys()):
            is_now, should = present.get((kind, name)), self._known.get((kind, name))
            if is_now == should:
                continue
            what = "the site" if kind == SITE else f"the {kind} {name!a}"
            if should is None:
                return f"{what} is there, and no entry has added it"
            if is_now is None:
                return f"{what} is gone, and no entry has removed it"
            columns = sorted(column for column in is_now.keys() | should if is_now.get(column) != should.get(column))
            return f"{what} has other values than the entries have given it ({', '.join(columns)})"
        return None

    def _set(self, kind: str, name: str, columns: dict[str, Any] | None) -> None:
        if columns is None:
            self._known.pop((kind, name), None)
        else:
            self._known.setdefault((kind, name), {}).update(columns)


def find_untold(connection: sa.Connection) -> str | None:
    """Return what the directory has past the journal; reads the changes alone, and does not prove the chain."""
    derived = Derived()
    changes = sa.select(tables.journal).where(tables.journal.c.stage == sa.literal_column("'change'"))
    for row in connection.execute(changes.order_by(tables.journal.c.seq)):
        if problem := derived.follow(row):
            return f"entry {row.seq}: {problem}"
    return derived.find_difference(connection)


def read_all(connection: sa.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the tables have, by kind and name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for user in connection.execute(sa.select(tables.users)).mappings():
        found[USER, user["name"]] = {"multi_user_aware": user["multi_user_aware"]}
    for extension in connection.execute(sa.select(tables.extensions)).mappings():
        found[EXTENSION, extension["number"]] = {key: value for key, value in extension.items() if key != "number"}
    joined = tables.terminals.outerjoin(tables.permissions)
    for row in connection.execute(sa.select(tables.terminals, *_PERMISSIONS).select_from(joined)).mappings():
        own = {column.name: row[column.name] for column in _PERMISSIONS}
        own |= {name: row[name] for name in ("extension", "revoked", "added_ms")}
        found[TERMINAL, row["tid"]] = own | hash_secrets(row)
        if row["site_group"]:
            found[GROUP, row["tid"]] = group_columns(row["site_group"])
    for account in connection.execute(sa.select(tables.accounts)).mappings():
        found[ACCOUNT, account["name"]] = account_columns(account["role"], account["password_hash"])
    for token in connection.execute(sa.select(tables.tokens)).mappings():
        found[TOKEN, token["name"]] = account_columns(token["role"], token["token_hash"])
    for told in connection.execute(sa.select(tables.pbx_permissions)).mappings():
        found[PBX_PERMISSION, told["extension"]] = {name: told[name] for name in _PBX_TOLD}
    site = connection.execute(sa.select(*(tables.state.c[name] for name in _NEVER_CHANGED))).mappings().one()
    return found | {(SITE, SITE): dict(site)}


def hash_secrets(columns: Any) -> dict[str, str]:
    """Return the hash of a terminal's secrets as its column; they are too long to be guessed."""
    texts = [columns["password_hash"], columns["mosquitto_hash"] or "", bytes(columns["mac_key"]).hex()]
    return {"secrets": hashlib.sha256("\n".join(texts).encode()).hexdigest()}


def account_columns(role: str, secret_hash: str) -> dict[str, str]:
    """Return the columns of an account or a token of the console, its secret's hash as a hash."""
    return {"role": role, "secret": hashlib.sha256(secret_hash.encode()).hexdigest()}


def group_columns(name: str) -> dict[str, str]:
    """Return the columns of a terminal's site group."""
    return {"name": name}


def needs_whole(connection: sa.Connection) -> bool:
    """Return whether there are changes of an early version, and none that names all that was there before."""
    change = sa.select(tables.journal.c.seq).where(tables.journal.c.stage == sa.literal_column("'change'"))
    newest_first = change.order_by(tables.journal.c.at_ms.desc()).limit(1)
    if connection.execute(newest_first).first() is None:
        return False
    is_told = sa.func.json_type(tables.journal.c.detail, "$.now").is_not(None)
    return connection.execute(newest_first.where(is_told)).first() is None
