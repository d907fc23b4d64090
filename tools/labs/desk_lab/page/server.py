"""Serves the page of a desk on loopback, in the event loop of `phoneterm run`. Does not know what is on it."""

from dataclasses import dataclass

from phoneterm_bridge.console.door import ConsoleDoor
from phoneterm_bridge.console.event_stream import EventStreams
from phoneterm_bridge.console.templates_of import make_templates
from phoneterm_bridge.web.connection import StreamedConnection
from phoneterm_bridge.web.server import HttpServer

from desk_lab.desk import Desk
from desk_lab.installation import HOST
from desk_lab.page.app import DeskApp
from desk_lab.page.entry import Entry
from desk_lab.page.live_desk import LiveDesk
from desk_lab.page.pieces import Pieces
from desk_lab.page.places import OWN_TEMPLATES

_MOST_STREAMS = 16
_MOST_REQUESTS = 64


@dataclass(frozen=True)
class _Place:
    host: str
    port: int


class DeskPage:
    """The page; a port of 0 means any free one. where: the PBX, for people."""

    def __init__(self, desk: Desk, where: str, port: int = 0) -> None:
        templates = make_templates(OWN_TEMPLATES)
        pieces = Pieces(desk, templates)
        self._entry = Entry()
        self.streams = EventStreams(_MOST_STREAMS)
        self._live = LiveDesk(desk, pieces, self.streams)
        app = DeskApp(desk, where, self._entry, pieces, self.streams, templates).make()
        most = _MOST_STREAMS + _MOST_REQUESTS
        self._server = HttpServer(_Place(HOST, port), ConsoleDoor(app, ()), "page", most, StreamedConnection)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    @property
    def address(self) -> str:
        """The address that lets its user in; nobody else should read it."""
        return f"http://{HOST}:{self.port}/open/{self._entry.secret}"

    async def start(self) -> None:
        """Start serving it."""
        self._live.start()
        await self._server.start()

    async def stop(self) -> None:
        """End all streams, and stop serving it."""
        self.streams.close()
        await self._server.stop()
        await self._live.stop()
