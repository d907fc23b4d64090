"""A small HTTPS server on loopback that can also misbehave: answer slowly, answer nonsense, or cut the connection.

Does not know what is asked of it: `answer` gets each request. HTTP/1.1 is h11's; connections stay open between
requests, as on a real server.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import h11

_READ_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One request; path is without the query, both as they came. Names of headers are in small letters."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer. is_cut: the connection ends instead, with nothing sent; sent_bytes: or after so much of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    sent_bytes: int | None = None


class HttpsServer:
    """One server with one certificate."""

    def __init__(self, context: ssl.SSLContext, answer: Callable[[Request], Awaitable[Answer]]) -> None:
        """Nothing listens yet."""
        self._context = context
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on this port of 127.0.0.1 (0: any free one) and return it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=self._context)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, h11.RemoteProtocolError):
                await self._converse(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (request := await _read_request(connection, reader)) is not None:
            answer = await self._answer(request)
            if answer.is_cut:
                return
            head = h11.Response(
                status_code=answer.status,
                reason=HTTPStatus(answer.status).phrase,
                headers=[*answer.headers.items(), ("Content-Length", str(len(answer.body)))],
            )
            writer.write(connection.send(head) or b"")
            if answer.sent_bytes is not None:
                writer.write(answer.body[: answer.sent_bytes])
                await writer.drain()
                return
            writer.write(connection.send(h11.Data(data=answer.body)) or b"")
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()


async def _read_request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, or None when the client has closed the connection."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            path, _, query = head.target.decode("latin-1").partition("?")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode("latin-1"), path, query, headers, body)
        else:
            return None
