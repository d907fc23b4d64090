"""Which address of the page shows or does what. Does nothing at the desk itself: `Desk` does.

A page has a name, under which it holds keys down; when its event stream ends, they are let go. What cannot be done is
one sentence.
"""

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import jinja2
from phoneterm_bridge.console.event_stream import EventStreams
from phoneterm_bridge.console.site import Refused, field, read_form, say_failed
from phoneterm_bridge.console.templates_of import STATIC
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from desk_lab.desk import PROBLEMS, Desk, describe_problem
from desk_lab.page.entry import Entry
from desk_lab.page.live_desk import TOPIC
from desk_lab.page.pieces import Pieces
from desk_lab.page.places import OWN_STATIC

PAGE = "page:"
_MOST_NAME = 40

Show = Callable[[Request], Awaitable[Response]]


class DeskApp:
    """The page of one desk. where: the PBX, for people."""

    def __init__(
        self, desk: Desk, where: str, entry: Entry, pieces: Pieces, streams: EventStreams, templates: jinja2.Environment
    ) -> None:
        self._desk = desk
        self._where = where
        self._entry = entry
        self._pieces = pieces
        self._streams = streams
        self._templates = templates
        self._open_pages: Counter[str] = Counter()
        self._actions: dict[str, Callable[..., Awaitable[None]]] = {
            "call": desk.call, "answer": desk.answer, "hang-up": desk.hang_up, "hold": desk.hold,
            "take-back": desk.take_back, "behaviour": desk.set_behaviour,
        }  # fmt: skip

    def make(self) -> Starlette:
        """Return the application."""

        async def say_unknown(request: Request, _error: Exception) -> Response:
            return self._refuse(request, Refused(404, "There is no such page."))

        async def say_not_so(request: Request, _error: Exception) -> Response:
            return self._refuse(request, Refused(405, "Nothing here is done that way."))

        async def enter(request: Request) -> Response:
            try:
                return self._entry.admit(request)
            except Refused as refused:
                return self._refuse(request, refused)

        routes = [
            Route("/open/{secret}", enter),
            Route("/", self._guard(self._show)),
            Route("/events", self._guard(self._stream)),
            Route("/key", self._guard(self._move_key), methods=["POST"]),
            Route("/type", self._guard(self._type), methods=["POST"]),
            Route("/permission", self._guard(self._flip_permission), methods=["POST"]),
            Route("/phones/{endpoint}/{what}", self._guard(self._act), methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/desk", StaticFiles(directory=OWN_STATIC)),
        ]
        app = Starlette(routes=routes, exception_handlers={404: say_unknown, 405: say_not_so, Exception: say_failed})
        app.router.redirect_slashes = False
        return app

    def _guard(self, show: Show) -> Show:
        async def answer(request: Request) -> Response:
            try:
                self._entry.require(request)
                return await show(request)
            except Refused as refused:
                return self._refuse(request, refused)
            except PROBLEMS as problem:
                return self._refuse(request, Refused(409, describe_problem(problem)))

        return answer

    def _refuse(self, request: Request, refused: Refused) -> Response:
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            html = self._templates.get_template("closed.html").render(sentence=str(refused))
            return HTMLResponse(html, refused.status, refused.headers)
        return JSONResponse({"detail": str(refused)}, refused.status, refused.headers)

    async def _show(self, _request: Request) -> Response:
        page = PAGE + secrets.token_hex(8)
        values = self._pieces.values() | {
            "since": self._streams.track((TOPIC,)),
            "topics": f"{TOPIC} {page}",
            "csrf": self._entry.page_secret,
            "where": self._where,
        }
        return HTMLResponse(self._templates.get_template("desk.html").render(values))

    async def _stream(self, request: Request) -> Response:
        topics = request.query_params.get("topics", "").split()
        pages = [topic for topic in topics if topic.startswith(PAGE) and len(topic) < _MOST_NAME]
        if len(pages) != 1 or sorted(topics) != sorted((TOPIC, *pages)):
            raise Refused(400, "There are no such events.")
        if self._streams.is_full:
            raise Refused(503, "Too many pages are open: close some.", {"Retry-After": "10"})
        since = request.headers.get("last-event-id") or request.query_params.get("since")
        text = self._read(pages[0], since)
        return StreamingResponse(text, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _read(self, page: str, since: str | None) -> AsyncIterator[bytes]:
        """Give the text of a page's stream; let go what the page holds when its last stream has ended."""
        self._open_pages[page] += 1
        try:
            async for text in self._streams.read((TOPIC,), since):
                yield text
        finally:
            self._open_pages[page] -= 1
            if not self._open_pages[page]:
                del self._open_pages[page]
                await self._desk.let_go_all(page)

    async def _move_key(self, request: Request) -> Response:
        form = await read_form(request)
        page, legend = field(form, "page")[:_MOST_NAME], field(form, "legend")[:8]
        if field(form, "down") == "yes":
            if page not in self._open_pages:
                raise Refused(409, "This page has no connection, so nobody would let the key go again.")
            await self._desk.press(legend, page)
        else:
            await self._desk.let_go(legend, page)
        return JSONResponse({})

    async def _type(self, request: Request) -> Response:
        await self._desk.type(field(await read_form(request), "keys"))
        return JSONResponse({})

    async def _flip_permission(self, request: Request) -> Response:
        await self._desk.set_permission(field(await read_form(request), "on") == "yes")
        return JSONResponse({})

    async def _act(self, request: Request) -> Response:
        endpoint, what = request.path_params["endpoint"], request.path_params["what"]
        if what not in self._actions:
            raise Refused(404, f"A phone cannot {what[:20]!r}.")
        form = await read_form(request)
        more = [field(form, name) for name in ("number", "behaviour") if name in form]
        await self._actions[what](endpoint, *more[:1])
        return JSONResponse({})
