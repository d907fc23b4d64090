"""A connection whose answers may go on for ever: the request has a time limit, the answer has none."""

import asyncio
import contextlib

import pytest_asyncio
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.web import connection
from phoneterm_bridge.web.connection import StreamedConnection
from phoneterm_bridge.web.server import HttpServer

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LIMIT_S = 0.2


@pytest_asyncio.fixture
async def port(monkeypatch):
    """The port of a server that says one word, and another once three time limits have passed."""
    monkeypatch.setattr(connection, "_REQUEST_S", _LIMIT_S)

    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.sleep(3 * _LIMIT_S)
        await send({"type": "http.response.body", "body": b"second", "more_body": False})

    server = HttpServer(HttpSettings(enabled=True, port=0), stream, connection=StreamedConnection)
    await server.start()
    yield server.port
    await server.stop()


async def read_all(port, octets):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    said = b""
    async with asyncio.timeout(4):  # uvicorn's own limit, of 5 s, is for a connection that has asked already
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(4096):
                said += piece
    writer.close()
    return said


async def test_an_answer_may_take_longer_than_a_request(port):
    said = await read_all(port, _REQUEST)
    assert b"first" in said
    assert b"second" in said


async def test_a_request_that_does_not_come_in_time_is_not_waited_for(port):
    assert await read_all(port, _REQUEST[:-2]) == b""


async def test_after_an_answer_the_next_request_has_to_come_in_time(port):
    assert b"second" in await read_all(port, _REQUEST + _REQUEST[:-2])
