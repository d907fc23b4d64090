"""The control socket of a phone: one JSON object a line, on 127.0.0.1 only. README.md is its manual.

Does not know what commands do (`commands.py` does). The first line must be the token, else the connection ends without
an answer. Every other line gets exactly one answer; a wrong line gets a sentence, and the connection goes on. A client
that asked for events and does not read them is disconnected.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from lab_parts.control_token import ControlToken

from virtual_phone.commands import MOST_LINE_BYTES, Refusal, Request, carry_out, parse_request
from virtual_phone.handset import Handset

HOST = "127.0.0.1"
MOST_AT_ONCE = 32  # commands of one client that are under way
MOST_UNREAD_BYTES = 1024 * 1024


class ControlServer:
    """Listens for clients of one phone."""

    def __init__(self, phone: Handset, port: int) -> None:
        self.port = port
        self._phone = phone
        self._server: asyncio.Server | None = None
        self._token: ControlToken | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; afterwards `port` is the real one."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port, limit=MOST_LINE_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        self._token = ControlToken(self.port)

    async def stop(self) -> None:
        """Close the socket and every connection."""
        if self._server is None:
            return
        self._server.close()
        if self._token is not None:
            self._token.remove()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.current_task()
        assert client is not None
        self._clients.add(client)
        try:
            if self._token is not None and await self._token.admits(reader):
                await _Client(self._phone, reader, writer).run()
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._clients.discard(client)
            writer.close()


class _Client:
    """One connection."""

    def __init__(self, phone: Handset, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._phone, self._reader, self._writer = phone, reader, writer
        self._tasks: set[asyncio.Task[None]] = set()
        self._end_watch: Callable[[], None] | None = None

    async def run(self) -> None:
        """Answer every line until the client leaves; its commands are still finished, so no key stays down."""
        try:
            with contextlib.suppress(OSError):
                while (line := await self._read_line()) is not None:
                    self._on_line(line)
            await asyncio.gather(*self._tasks)
        finally:
            self._watch(False)
            for task in self._tasks:
                task.cancel()

    async def _read_line(self) -> bytes | Refusal | None:
        """Return a line without its newline, a Refusal when it was too long, None at the end."""
        is_too_long = False
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await self._reader.readexactly(error.consumed)
                is_too_long = True
            except asyncio.IncompleteReadError:
                return None
            else:
                return Refusal(f"the line has more than {MOST_LINE_BYTES} bytes") if is_too_long else line[:-1]

    def _on_line(self, line: bytes | Refusal) -> None:
        request = parse_request(line) if isinstance(line, bytes) else line
        if isinstance(request, Request) and len(self._tasks) >= MOST_AT_ONCE:
            request = Refusal(f"{MOST_AT_ONCE} commands are under way; wait for an answer", request.request_id)
        if isinstance(request, Refusal):
            self._send({"id": request.request_id, "ok": False, "error": request.sentence})
        else:
            task = asyncio.create_task(self._answer(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        outcome: dict[str, Any] | Refusal = {}
        if request.command == "watch":
            self._watch(request.fields["on"])
        else:
            outcome = await carry_out(self._phone, request)
        if isinstance(outcome, Refusal):
            self._send({"id": request.request_id, "ok": False, "error": outcome.sentence})
        else:
            self._send({"id": request.request_id, "ok": True, **outcome})

    def _watch(self, is_on: bool) -> None:
        if is_on and self._end_watch is None:
            self._end_watch = self._phone.events.listen(self._send)
        elif not is_on and self._end_watch is not None:
            self._end_watch()
            self._end_watch = None

    def _send(self, document: dict[str, Any]) -> None:
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self._writer.transport.abort()
            return
        self._writer.write(json.dumps(document).encode() + b"\n")
