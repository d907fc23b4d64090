"""What every page of the console has: who asks and what they may, the form they sent, the answer. Knows no page.

A page is a function of a request and its visitor. Whoever is not signed in is sent to the sign-in page; a change must
come from the console's own pages (CSRF token, and the origin where the browser names it). A change answers with JSON:
`say`, a sentence; `go`, where to go; `put`, pieces of the page by their ids. What cannot be done is one sentence.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import jinja2
import sqlalchemy as sa
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from phoneterm_bridge.administration.requesting import LOOK_S
from phoneterm_bridge.console import cookies
from phoneterm_bridge.console.event_stream import EventStreams
from phoneterm_bridge.console.login_desk import LoginDesk
from phoneterm_bridge.console.operations import REQUESTS, Operations
from phoneterm_bridge.console.row_pieces import RowPieces
from phoneterm_bridge.console.rows import Rows
from phoneterm_bridge.console.sources import Sources
from phoneterm_bridge.console.visitors import Visitor, Visitors
from phoneterm_bridge.console.watch import STATUS, Watch
from phoneterm_bridge.permissions.granting import set_aware_at_pbx
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import VIEWER, Account
from phoneterm_bridge.store.store_trouble import describe_store_trouble, is_store_trouble
from phoneterm_bridge.wording.logs import shorten

MOST_FORM_BYTES = 256 * 1024
_MOST_FIELD_CHARS = 200
_ASKED_AT_ONCE = 25
Page = Callable[[Request], Awaitable[Response]]
_Result = TypeVar("_Result")


class Refused(Exception):
    """A request that is not carried out, with its status and a sentence."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True)
class Site:
    """All that pages need. setup_token: of the one-time set-up link; the list is empty once it was used."""

    sources: Sources
    visitors: Visitors
    desk: LoginDesk
    operations: Operations
    streams: EventStreams
    watch: Watch
    rows: Rows
    pieces: RowPieces
    templates: jinja2.Environment
    threads: ThreadPoolExecutor
    examining: asyncio.Lock
    setup_token: list[str]

    def page(self, show: Callable[["Site", Request, Visitor], Awaitable[Response]], role: str = VIEWER) -> Page:
        """Return a page for whoever has at least this role."""

        async def answer(request: Request) -> Response:
            try:
                visitor = await self.visitors.find(request)
                if visitor is None:
                    return self._send_to_sign_in(request)
                if not visitor.may(role):
                    raise Refused(403, f"This needs the role {role}, and {visitor.name} is {visitor.role}.")
                if request.method not in ("GET", "HEAD"):
                    self._require_own_page(request, visitor)
                response = await show(self, request, visitor)
            except Refused as refused:
                return self.refuse(request, refused)
            except SetupProblem as problem:
                return self.refuse(request, Refused(409, str(problem)))
            except sa.exc.DBAPIError as error:
                return self.refuse(request, self.describe_store_trouble(error))
            self._renew_cookie(request, response, visitor)
            return response

        return answer

    async def render(
        self,
        request: Request,
        visitor: Visitor,
        name: str,
        topics: tuple[str, ...] = (),
        read: Callable[[], Awaitable[dict[str, Any]]] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Return a page. `read` reads what is on it, after its topics are tracked, so that no change is missed."""
        wanted = (*topics, STATUS)
        since = await self.watch.begin(wanted)
        if read is not None:
            values |= await read()
        assert visitor.session is not None
        values |= {"visitor": visitor, "csrf": self.visitors.signer.csrf(visitor.session), "path": request.url.path}
        values |= {"topics": " ".join(wanted), "since": since, "missing": self.sources.health.missing()}
        return HTMLResponse(await self.run(self.templates.get_template(name).render, values))

    async def run(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Do something off the event loop, in one of the console's own threads: the bridge needs the others."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, *arguments)

    async def ask(self, visitor: Visitor, tid: str, operation: str) -> str:
        """Have a terminal show itself or reboot, and wait until it has; return a sentence."""
        waiting = await self.run(self.operations.ask, visitor, tid, operation)
        try:
            while await self.run(waiting.goes_on):  # noqa: ASYNC110 - the answer comes through the store
                await asyncio.sleep(LOOK_S)
        except BaseException:
            await asyncio.shield(self.run(waiting.withdraw))
            raise
        await self.run(waiting.conclude)
        return f"{tid} {REQUESTS[operation]}."

    async def set_aware(self, visitor: Visitor, user: str, is_allowed: bool) -> str:
        """Give a user the permission User is multi user aware, or take it away: at the PBX, where it says who is."""
        source = self.sources.permission_source
        if source is None:
            return await self.change(self.operations.set_aware, visitor, user, is_allowed)
        try:
            return await set_aware_at_pbx(source, self.sources.engine, user, is_allowed, visitor.actor, visitor.place)
        finally:
            await self.sources.refresh()

    async def ask_many(self, visitor: Visitor, tids: list[str], operation: str) -> list[tuple[str, str]]:
        """Have terminals show themselves or reboot, some at once; return those that were not told, and why."""
        waiting = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def ask(tid: str) -> tuple[str, str] | None:
            async with waiting:
                try:
                    await self.ask(visitor, tid, operation)
                except SetupProblem as problem:
                    return tid, str(problem)
            return None

        return [one for one in await asyncio.gather(*map(ask, tids)) if one is not None]

    async def change(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Change something off the event loop, and take the change over at once."""
        try:
            return await self.run(work, *arguments)
        finally:
            await self.sources.refresh()
            await self.visitors.refresh()

    def describe_store_trouble(self, error: sa.exc.DBAPIError) -> Refused:
        """Return why something was not done with the store; raise what is a mistake of ours."""
        if not is_store_trouble(error):
            raise error
        return Refused(503, describe_store_trouble(error, self.sources.settings.store.path))

    def refuse(self, request: Request, refused: Refused) -> Response:
        """Say in one sentence why something is not done: on a page, or for a script."""
        sentence = str(refused)
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            html = self.templates.get_template("refused.html").render(sentence=sentence)
            return HTMLResponse(html, refused.status, refused.headers)
        return JSONResponse({"detail": sentence}, refused.status, refused.headers)

    def sign_in(self, response: Response, account: Account) -> None:
        """Give the browser a cookie of this account, as it was when its password was looked at."""
        session = self.visitors.signer.begin(account.name, account.secret_hash)
        self._set_cookie(response, self.visitors.signer.write(session))

    def stay_signed_in(self, response: Response, visitor: Visitor) -> None:
        """Give the browser of somebody with a new password the cookie that goes with it; its pages stay good."""
        assert visitor.session is not None
        session = self.visitors.signer.renew(visitor.session, self.visitors.accounts[visitor.name].secret_hash)
        self._set_cookie(response, self.visitors.signer.write(session))

    def sign_out(self, response: Response) -> None:
        """Take the cookie from the browser."""
        response.delete_cookie(cookies.NAME, path="/")

    def require_own_origin(self, request: Request) -> None:
        """Refuse a form that a page elsewhere has sent."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
            raise Refused(403, "This came from another page and was not carried out.")

    def _require_own_page(self, request: Request, visitor: Visitor) -> None:
        self.require_own_origin(request)
        if not self.visitors.is_token_of(visitor, request.headers.get("x-csrf-token", "")):
            raise Refused(403, "The page is too old, so this was not carried out: load it again.")

    def _send_to_sign_in(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(where)}", 303)
        return JSONResponse({"detail": "Nobody is signed in here any more: sign in again."}, 401)

    def _renew_cookie(self, request: Request, response: Response, visitor: Visitor) -> None:
        """Give the browser the cookie of somebody whom the reverse proxy has named."""
        if visitor.session is None or "set-cookie" in response.headers:
            return
        cookie = self.visitors.signer.write(visitor.session)
        if request.cookies.get(cookies.NAME) != cookie:
            self._set_cookie(response, cookie)

    def _set_cookie(self, response: Response, cookie: str) -> None:
        is_https = self.sources.settings.console.https
        response.set_cookie(
            cookies.NAME, cookie, max_age=cookies.LIFE_S, path="/", httponly=True, samesite="lax", secure=is_https
        )


async def read_body(request: Request, most: int = MOST_FORM_BYTES) -> bytes:
    """Return the body of a request, up to a limit."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Refused(413, f"This is larger than {most // 1024} kB.")
    return bytes(body)


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form, as lists of texts."""
    try:
        return parse_qs((await read_body(request)).decode(), keep_blank_values=True, max_num_fields=6000)
    except ValueError:
        raise Refused(400, "The form cannot be read.") from None


def field(form: dict[str, list[str]], name: str) -> str:
    """Return one field of a form without the spaces around it; empty where it is missing."""
    return exact_field(form, name).strip()


def exact_field(form: dict[str, list[str]], name: str) -> str:
    """Return one field of a form as it was typed, such as a password; empty where it is missing."""
    text = form.get(name, [""])[-1]
    if len(text) > _MOST_FIELD_CHARS:
        raise Refused(400, f"The field {name} is longer than {_MOST_FIELD_CHARS} characters.")
    return text


async def say_failed(request: Request, error: Exception) -> Response:
    """Answer for a mistake of ours: one log line, and no traceback for anybody else."""
    structlog.get_logger().error(
        "page-failed", path=shorten(request.url.path), error=type(error).__name__, detail=shorten(error)
    )
    return JSONResponse({"detail": "The page could not be made; the bridge's log says more."}, 500)
