"""Joins the console's parts with the bridge's: makes a console that can be started. Imported only when it is enabled.

Its server is another one than that of health and metrics, with limits of its own: however many streams are open,
/healthz answers.
"""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from phoneterm_bridge.administration.requesting import Patience
from phoneterm_bridge.console.app import make_app
from phoneterm_bridge.console.door import ConsoleDoor
from phoneterm_bridge.console.event_stream import MOST_STREAMS, EventStreams
from phoneterm_bridge.console.login_desk import LoginDesk
from phoneterm_bridge.console.operations import Operations
from phoneterm_bridge.console.row_pieces import RowPieces
from phoneterm_bridge.console.rows import Rows
from phoneterm_bridge.console.site import Site
from phoneterm_bridge.console.sources import Sources
from phoneterm_bridge.console.templates_of import make_templates
from phoneterm_bridge.console.visitors import Visitors
from phoneterm_bridge.console.watch import Watch
from phoneterm_bridge.web.connection import StreamedConnection
from phoneterm_bridge.web.server import HttpServer

_THREADS = 2
_MOST_REQUESTS = 128  # beside the streams


class Console:
    """The console of one bridge."""

    def __init__(self, sources: Sources, patience: Patience | None = None) -> None:
        settings = sources.settings.console
        templates = make_templates()
        visitors = Visitors(sources.engine, sources.directory, settings)
        self.streams = EventStreams()
        self._threads = ThreadPoolExecutor(_THREADS, "console")
        pieces = RowPieces(templates)
        self._watch = Watch(sources, visitors, self.streams, templates, pieces)
        self.site = Site(
            sources, visitors, LoginDesk(), Operations(sources.engine, sources.settings, patience), self.streams,
            self._watch, Rows(sources), pieces, templates, self._threads, asyncio.Lock(), [],
        )  # fmt: skip
        self.site_app = make_app(self.site)
        door = ConsoleDoor(self.site_app, (settings.host, *settings.names), "console.names in the settings")
        self._server = HttpServer(settings, door, "console", MOST_STREAMS + _MOST_REQUESTS, StreamedConnection)
        self._settings = settings
        self._watching: asyncio.Task | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    @property
    def setup_link(self) -> str | None:
        """The one-time link that makes the first account; None where there is one already."""
        if not self.site.setup_token or self.site.visitors.accounts:
            return None
        path = f"/setup/{self.site.setup_token[0]}"
        if self._settings.https and self._settings.names:  # what the reverse proxy is asked for
            return f"https://{self._settings.names[0]}{path}"
        host = self._settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    async def start(self) -> None:
        """Start serving it; SetupProblem when that cannot be done."""
        await self.site.visitors.refresh()
        if not self.site.visitors.accounts:
            self.site.setup_token.append(secrets.token_urlsafe(24))
        await self._server.start()
        self._watching = asyncio.create_task(self._watch.run(), name="console watch")

    async def stop(self) -> None:
        """End its streams and stop serving it."""
        self.streams.close()
        await self._server.stop()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        self._threads.shutdown(wait=False)
        self.site.desk.close()
