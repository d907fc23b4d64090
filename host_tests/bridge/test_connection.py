"""The time limits of a connection: for its requests, and for its answers except where they may go on for ever."""

import asyncio
import contextlib

import pytest
import pytest_asyncio
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.web.connection import StreamedConnection, TimedConnection
from phoneterm_bridge.web.server import HttpServer

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LIMIT_S = 0.2


class QuickConnection(TimedConnection):
    """One that ends soon."""

    request_s = _LIMIT_S


class QuickStream(StreamedConnection):
    """One whose requests have little time."""

    request_s = _LIMIT_S


async def stream(scope, receive, send):
    """Say one word, and another once three time limits have passed."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await asyncio.sleep(3 * _LIMIT_S)
    await send({"type": "http.response.body", "body": b"second", "more_body": False})


async def answer(scope, receive, send):
    """Say one word."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": False})


@contextlib.asynccontextmanager
async def serving(app, connection):
    server = HttpServer(HttpSettings(enabled=True, port=0), app, connection=connection)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


@pytest_asyncio.fixture
async def port():
    """The port of a server whose answers go on for longer than a request may."""
    async with serving(stream, QuickStream) as port:
        yield port


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


async def test_where_answers_end_soon_a_longer_one_is_cut_off():
    async with serving(stream, QuickConnection) as port:
        said = await read_all(port, _REQUEST)
    assert b"first" in said
    assert b"second" not in said


async def test_a_request_that_does_not_come_in_time_is_not_waited_for(port):
    assert await read_all(port, _REQUEST[:-2]) == b""


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\n", _REQUEST + b"GET /"])
async def test_nor_is_one_where_answers_end_soon(begun):
    async with serving(answer, QuickConnection) as port:
        said = await read_all(port, begun)
    assert (b"first" in said) is begun.startswith(_REQUEST)


async def test_after_an_answer_the_next_request_has_to_come_in_time(port):
    assert b"second" in await read_all(port, _REQUEST + _REQUEST[:-2])
