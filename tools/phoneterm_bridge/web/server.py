"""Serves the bridge's pages over HTTP inside its own event loop, with uvicorn. Does not know what is on them.

By default uvicorn handles the signals of the process and ends it when a port is taken. The bridge must decide both, so
the socket is opened here and uvicorn's signal handling is left out. Requests and connections are bounded in size and
number, and each connection has an end.
"""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any, Protocol

import uvicorn

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.web.connection import TimedConnection

MOST_REQUESTS = 64
_MOST_HEADER_BYTES = 16 * 1024
_IDLE_S = 5
_GOODBYE_S = 1
# Keeps caches and browsers from doing more than showing a page.
_HEADERS = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]


class Place(Protocol):
    """Where a server listens."""

    @property
    def host(self) -> str:
        """The address or name."""

    @property
    def port(self) -> int:
        """The port; 0 lets the system choose one."""


class HttpServer:
    """One server for one ASGI application. section: the settings' section with host and port.

    most: how many connections and requests there may be at once. connection: with which time limits.
    """

    def __init__(
        self, settings: Place, app: Any, section: str = "http", most: int = MOST_REQUESTS,
        connection: type[TimedConnection] = TimedConnection,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._section = section
        self._server = _QuietServer(
            uvicorn.Config(
                app, http=connection, ws="none", loop="none", lifespan="off", log_config=None, access_log=False,
                server_header=False, proxy_headers=False, headers=_HEADERS, limit_concurrency=most,
                timeout_keep_alive=_IDLE_S,
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES, timeout_graceful_shutdown=_GOODBYE_S,
            )
        )  # fmt: skip
        self._task: asyncio.Task | None = None
        self.port = settings.port

    async def start(self) -> None:
        """Start listening; SetupProblem when that cannot be done."""
        try:
            listener = await self._listen()
        except OSError as error:
            name = f"{self._section}.port"
            raise SetupProblem(
                f"The pages cannot be served on port {self._settings.port} of {self._settings.host} "
                f"({error.strerror}); {name} in the settings, or --set {name}=PORT, chooses another."
            ) from None
        self.port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="http server")

    async def stop(self) -> None:
        """Let requests finish, within a time limit, and stop listening."""
        if self._task is not None:
            self._server.should_exit = True
            await asyncio.wait([self._task])

    async def _listen(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        where = (self._settings.host, self._settings.port)
        found = await loop.getaddrinfo(*where, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family)


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the bridge."""
        yield
