"""Who asks: an account by its cookie, one that a reverse proxy names, or a program by its token; and from where.

Signs nobody in. Accounts are kept in memory and read again when the directory has a new revision, so whoever is removed
or gets another role or password is so within a quarter of a second.
"""

import asyncio
import hmac
import ipaddress
from typing import NamedTuple

import sqlalchemy as sa
from starlette.requests import Request

from phoneterm_bridge.console import cookies
from phoneterm_bridge.console.cookies import CookieSigner, Session
from phoneterm_bridge.settings.console import ConsoleSettings
from phoneterm_bridge.store import accounts
from phoneterm_bridge.store.accounts import ROLES, Account
from phoneterm_bridge.store.live_directory import LiveDirectory

_BEARER = "bearer "


class Visitor(NamedTuple):
    """Who asks. mark: of the secret that was shown; actor and place: as the journal names them."""

    name: str
    role: str
    actor: str
    place: str
    mark: str
    session: Session | None

    def may(self, role: str) -> bool:
        """Return whether this role is enough for what needs `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Visitors:
    """All who may come in."""

    def __init__(self, engine: sa.Engine, directory: LiveDirectory, settings: ConsoleSettings) -> None:
        self._engine = engine
        self._directory = directory
        self._settings = settings
        self._revision = -1
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[str, Account] = {}
        self._ended: set[str] = set()  # nonces of cookies whose owner signed out
        self.signer = CookieSigner()

    async def refresh(self) -> bool:
        """Read the accounts again if the directory has changed; return whether it has."""
        revision = self._directory.revision
        if revision == self._revision:
            return False
        self._accounts = await asyncio.to_thread(accounts.read_accounts, self._engine)
        tokens = await asyncio.to_thread(accounts.read_tokens, self._engine)
        self._tokens = {one.secret_hash: one for one in tokens.values()}
        self._revision = revision
        return True

    @property
    def accounts(self) -> dict[str, Account]:
        """All accounts by name."""
        return self._accounts

    @property
    def tokens(self) -> list[Account]:
        """All tokens by name."""
        return sorted(self._tokens.values())

    async def find(self, request: Request) -> Visitor | None:
        """Return who asks for a page; None for whoever is not signed in."""
        await self.refresh()
        named = self._named_by_proxy(request)
        session = self._read_cookie(request)
        if named is not None:
            account = self._accounts.get(named)
            if account is None:
                return None
            if session is None or session.account != named:
                session = self.signer.begin(named, account.secret_hash)
        elif session is None:
            return None
        else:
            account = self._accounts.get(session.account)
            if account is None or self.signer.mark(account.secret_hash) != session.mark:
                return None
        return Visitor(
            account.name, account.role, f"console:{account.name}", f"console, from {self.address_of(request)}",
            self.signer.mark(account.secret_hash), session,
        )  # fmt: skip

    async def find_program(self, request: Request) -> Visitor | None:
        """Return which program asks, by its token."""
        await self.refresh()
        said = request.headers.get("authorization", "")
        if not said.lower().startswith(_BEARER):
            return None
        token = self._tokens.get(accounts.hash_token(said[len(_BEARER) :].strip()))
        if token is None:
            return None
        place = f"HTTP API, from {self.address_of(request)}"
        return Visitor(token.name, token.role, f"token:{token.name}", place, "", None)

    def is_still(self, visitor: Visitor) -> bool:
        """Return whether a visitor of a while ago would be let in now, with the same role."""
        account = self._accounts.get(visitor.name)
        session = visitor.session
        is_ended = session is not None and (session.nonce in self._ended or not cookies.is_in_time(session))
        return (
            account is not None
            and not is_ended
            and account.role == visitor.role
            and self.signer.mark(account.secret_hash) == visitor.mark
        )

    def sign_out(self, visitor: Visitor) -> None:
        """Let a visitor's cookie be worthless from now on."""
        if visitor.session is not None:
            self._ended.add(visitor.session.nonce)

    def is_token_of(self, visitor: Visitor, csrf: str) -> bool:
        """Return whether a change carries the token of the visitor's own pages."""
        if visitor.session is None:
            return False
        return hmac.compare_digest(csrf.encode(), self.signer.csrf(visitor.session).encode())

    def address_of(self, request: Request) -> str:
        """Return where a request comes from; the named reverse proxy says where it has it from."""
        peer = request.client.host if request.client else "?"
        forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if self._settings.proxy_address and peer == self._settings.proxy_address and forwarded:
            try:
                return str(ipaddress.ip_address(forwarded))
            except ValueError:
                return peer
        return peer

    def _named_by_proxy(self, request: Request) -> str | None:
        peer = request.client.host if request.client else None
        if not self._settings.proxy_address or peer != self._settings.proxy_address:
            return None
        values = request.headers.getlist(self._settings.proxy_header)
        return values[0] if len(values) == 1 and values[0] else None

    def _read_cookie(self, request: Request) -> Session | None:
        cookie = request.cookies.get(cookies.NAME)
        session = self.signer.read(cookie) if cookie else None
        return None if session is None or session.nonce in self._ended else session
