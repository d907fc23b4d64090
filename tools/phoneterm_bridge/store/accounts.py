"""Who may use the operator's console: people with a password, programs with a token; each has a role. Admits nobody.

The roles are in order: who operates may also look, and who administers may do everything. A password is kept as its
argon2id hash, a token, which is random, as its SHA-256. Changes are journalled like those of the directory, with the
hash of the secret, so that an account that was given in SQL is named by `journal verify`.
"""

import hashlib
import secrets
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names, tables
from phoneterm_bridge.store.directory import ACCOUNT_LINE, TOKEN_LINE, Directory
from phoneterm_bridge.store.directory_proof import ACCOUNT, TOKEN, account_columns
from phoneterm_bridge.store.passwords import hash_chosen_password

VIEWER, OPERATOR, ADMIN = "viewer", "operator", "admin"
ROLES = (VIEWER, OPERATOR, ADMIN)
LEAST_CHARS, MOST_CHARS = 10, 200


class Account(NamedTuple):
    """One account or token: its name, its role, the hash of its secret, and when it was added."""

    name: str
    role: str
    secret_hash: str
    added_ms: int

    def __repr__(self) -> str:
        """Leave the hash out."""
        return f"Account({self.name!r}, {self.role!r})"


class Accounts(Directory):
    """The writing side, on behalf of one actor at one place."""

    def add_account(self, name: str, role: str, password: str, is_first: bool = False) -> None:
        """Add an account; `is_first`: only if there is none yet."""
        _refuse(names.problem_of_account(name), problem_of_role(role), problem_of_password(password))
        hashed = hash_chosen_password(password)
        row = {"name": name, "role": role, "password_hash": hashed, "added_ms": self._now_ms()}
        with self._writing() as connection:
            if is_first and connection.execute(sa.select(tables.accounts.c.name)).first() is not None:
                raise SetupProblem("The console has an account already; its administrators add others.")
            _refuse_existing(connection, tables.accounts, "account", name)
            connection.execute(tables.accounts.insert().values(**row))
            now = account_columns(role, hashed)
            self._record_change(connection, name, f"{ACCOUNT_LINE}added, {role}", (ACCOUNT, name, now))

    def set_role(self, name: str, role: str) -> None:
        """Give an account another role; the last administrator stays one."""
        _refuse(problem_of_role(role))
        with self._writing() as connection:
            _require(connection, tables.accounts, "account", name)
            connection.execute(tables.accounts.update().where(tables.accounts.c.name == name).values(role=role))
            _require_admin(connection)
            said = f"{ACCOUNT_LINE}is {role} now"
            self._record_change(connection, name, said, (ACCOUNT, name, {"role": role}))

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password; whoever is signed in with the old one is signed out."""
        _refuse(problem_of_password(password))
        hashed = hash_chosen_password(password)
        with self._writing() as connection:
            _require(connection, tables.accounts, "account", name)
            where = tables.accounts.c.name == name
            connection.execute(tables.accounts.update().where(where).values(password_hash=hashed))
            now = {"secret": account_columns("", hashed)["secret"]}
            self._record_change(connection, name, f"{ACCOUNT_LINE}has a new password", (ACCOUNT, name, now))

    def remove_account(self, name: str) -> None:
        """Remove an account, but not the last administrator."""
        with self._writing() as connection:
            _require(connection, tables.accounts, "account", name)
            connection.execute(tables.accounts.delete().where(tables.accounts.c.name == name))
            _require_admin(connection)
            self._record_change(connection, name, f"{ACCOUNT_LINE}removed", (ACCOUNT, name, None))

    def add_token(self, name: str, role: str) -> str:
        """Add a token for a program and return it; it is shown only once."""
        _refuse(names.problem_of_account(name), problem_of_role(role))
        token = secrets.token_urlsafe(32)
        hashed = hash_token(token)
        with self._writing() as connection:
            _refuse_existing(connection, tables.tokens, "token", name)
            row = {"name": name, "role": role, "token_hash": hashed, "added_ms": self._now_ms()}
            connection.execute(tables.tokens.insert().values(**row))
            now = account_columns(role, hashed)
            self._record_change(connection, name, f"{TOKEN_LINE}added, {role}", (TOKEN, name, now))
        return token

    def remove_token(self, name: str) -> None:
        """Remove a token: it is worthless from now on."""
        with self._writing() as connection:
            _require(connection, tables.tokens, "token", name)
            connection.execute(tables.tokens.delete().where(tables.tokens.c.name == name))
            self._record_change(connection, name, f"{TOKEN_LINE}removed", (TOKEN, name, None))


def read_accounts(engine: sa.Engine) -> dict[str, Account]:
    """Return all accounts by name."""
    return _read(engine, tables.accounts, tables.accounts.c.password_hash)


def read_tokens(engine: sa.Engine) -> dict[str, Account]:
    """Return all tokens by name."""
    return _read(engine, tables.tokens, tables.tokens.c.token_hash)


def hash_token(token: str) -> str:
    """Return what is kept of a token; it is too long to be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def problem_of_role(role: str) -> str | None:
    """Check a role."""
    return None if role in ROLES else f"A role is {', '.join(ROLES[:-1])} or {ROLES[-1]}"


def problem_of_password(password: str) -> str | None:
    """Check a password that somebody has chosen."""
    is_right = LEAST_CHARS <= len(password) <= MOST_CHARS and password.isprintable()
    return None if is_right else f"A password has {LEAST_CHARS} to {MOST_CHARS} printable characters"


def _read(engine: sa.Engine, table: sa.Table, secret: sa.ColumnElement) -> dict[str, Account]:
    query = sa.select(table.c.name, table.c.role, secret, table.c.added_ms).order_by(table.c.name)
    with engine.connect() as connection:
        return {row[0]: Account(*row) for row in connection.execute(query)}


def _refuse(*problems: str | None) -> None:
    for problem in problems:
        if problem is not None:
            raise SetupProblem(f"{problem}.")


def _require(connection: sa.Connection, table: sa.Table, what: str, name: str) -> None:
    if connection.execute(sa.select(table.c.name).where(table.c.name == name)).first() is None:
        raise SetupProblem(f"There is no {what} {name!r}.")


def _refuse_existing(connection: sa.Connection, table: sa.Table, what: str, name: str) -> None:
    if connection.execute(sa.select(table.c.name).where(table.c.name == name)).first() is not None:
        raise SetupProblem(f"There already is a {what} {name!r}.")


def _require_admin(connection: sa.Connection) -> None:
    """Refuse a change that leaves accounts, but nobody who administers."""
    is_admin = tables.accounts.c.role == ADMIN
    left = sa.select(tables.accounts.c.name)
    if connection.execute(left).first() and not connection.execute(left.where(is_admin)).first():
        raise SetupProblem("Nobody could administer the console then: make another account admin first.")
