"""A client of the virtual phone's control socket, for tests, the command line and the page.

Does not start a phone. Refused commands and lost connections raise PhoneError with one sentence.
Times in answers and events are milliseconds of the computer's monotonic clock.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from lab_parts.control_token import read_token

_MOST_LINE_BYTES = 4 * 1024 * 1024
_ANSWER_S = 20
MOST_EVENTS = 5000
PATIENCE_S = 20.0  # a busy computer may need it; a wait ends as soon as the event comes

Event = dict[str, Any]


class PhoneError(Exception):
    """What the phone refused, or why it cannot be reached, in one sentence."""


class PhoneClient:
    """One connection, made by `connect`. `history` holds the latest events since then."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.history: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._reader, self._writer = reader, writer
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._last_id = 0
        self._is_closed = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, host: str, port: int) -> Self:
        """Connect and watch; PhoneError when nothing listens there, or what listens is not a phone of this user."""
        try:
            reader, writer = await asyncio.open_connection(host, port, limit=_MOST_LINE_BYTES)
        except OSError:
            raise PhoneError(f"no phone listens on {host}:{port}") from None
        token = read_token(port)
        if token is None:
            writer.close()
            raise PhoneError(f"what listens on {host}:{port} is not a phone that this user has started")
        writer.write(token)
        client = cls(reader, writer)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await client.command("watch")
        except (PhoneError, TimeoutError):
            await client.close()
            raise PhoneError(f"what listens on {host}:{port} is not a phone") from None
        return client

    async def close(self) -> None:
        """Disconnect; the phone goes on."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def command(self, command: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer, once it has been carried out."""
        if self._is_closed:
            raise PhoneError("the connection to the phone is closed")
        self._last_id += 1
        request_id = self._last_id
        answer = asyncio.get_running_loop().create_future()
        self._answers[request_id] = answer
        self._writer.write(json.dumps({"id": request_id, "command": command, **fields}).encode() + b"\n")
        try:
            document = await answer
        finally:
            self._answers.pop(request_id, None)
        if not document.get("ok"):
            raise PhoneError(document.get("error", "the phone did not say why"))
        return document

    async def close_contact(self, row: int, column: int) -> None:
        """Close one contact of the keypad."""
        await self.command("close", row=row, column=column)

    async def open_contact(self, row: int, column: int) -> None:
        """Open one contact of the keypad."""
        await self.command("open", row=row, column=column)

    async def tap(self, legend: str, hold_ms: int = 60) -> dict[str, Any]:
        """Press a key and let it go; the answer has the times in "keys"."""
        return await self.command("tap", legend=legend, hold_ms=hold_ms)

    async def hold(self, legend: str) -> None:
        """Press a key."""
        await self.command("hold", legend=legend)

    async def release(self, legend: str) -> None:
        """Let a key go."""
        await self.command("release", legend=legend)

    async def type(self, text: str, hold_ms: int = 60, gap_ms: int = 60) -> dict[str, Any]:
        """Press keys one after the other; the answer has the times in "keys"."""
        return await self.command("type", text=text, hold_ms=hold_ms, gap_ms=gap_ms)

    async def hook(self, position: str) -> None:
        """Put the receiver "on" the hook or take it "off"."""
        await self.command("hook", position=position)

    async def wifi(self, up: bool) -> None:
        """Switch the access point."""
        await self.command("wifi", up=up)

    async def reset(self) -> None:
        """Press the reset button."""
        await self.command("reset")

    async def power(self, on: bool) -> None:
        """Switch the power."""
        await self.command("power", on=on)

    async def state(self) -> dict[str, Any]:
        """Return everything that can be seen of the phone."""
        return await self.command("state")

    async def log(self, lines: int = 100) -> list[str]:
        """Return the firmware's latest output."""
        return list((await self.command("log", lines=lines))["lines"])

    async def events(self, has_history: bool = False) -> AsyncIterator[Event]:
        """Yield events until the connection ends: only new ones, or first those in `history`."""
        queue = self._queue(has_history)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

    async def wait_for_event(self, is_wanted: Callable[[Event], bool], deadline_s: float = PATIENCE_S) -> Event:
        """Return the first wanted event from now on; PhoneError when none comes in time."""
        queue = self._queue()
        return await self._wait(queue, is_wanted, deadline_s, "the event")

    async def wait_for_signal(self, name: str, deadline_s: float = PATIENCE_S) -> None:
        """Wait until the phone gives this signal, or return if it does already. PhoneError when it does not in time."""
        queue = self._queue()
        if (await self.state())["signal"] == name:
            self._queues.discard(queue)
            return
        await self._wait(queue, lambda event: event.get("name") == name, deadline_s, f"the signal {name}")

    async def _wait(
        self, queue: asyncio.Queue[Event | None], is_wanted: Callable[[Event], bool], deadline_s: float, what: str
    ) -> Event:
        try:
            async with asyncio.timeout(deadline_s):
                while (event := await queue.get()) is not None:
                    if is_wanted(event):
                        return event
        except TimeoutError:
            raise PhoneError(f"{what} did not come within {deadline_s} s") from None
        finally:
            self._queues.discard(queue)
        raise PhoneError("the phone closed the connection")

    def _queue(self, has_history: bool = False) -> asyncio.Queue[Event | None]:
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        for event in self.history if has_history else ():
            queue.put_nowait(event)
        if self._is_closed:
            queue.put_nowait(None)
        self._queues.add(queue)
        return queue

    async def _read(self) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):  # ValueError: what came is not one JSON object a line
                while line := await self._reader.readline():
                    self._on_document(json.loads(line))
        finally:
            self._is_closed = True
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(PhoneError("the phone closed the connection"))
            for queue in self._queues:
                queue.put_nowait(None)

    def _on_document(self, document: Any) -> None:
        if not isinstance(document, dict):
            raise ValueError("an answer must be an object")
        if "event" in document:
            self.history.append(document)
            for queue in self._queues:
                queue.put_nowait(document)
            return
        answer = self._answers.get(document.get("id", 0))
        if answer is not None and not answer.done():
            answer.set_result(document)
