"""Says on every open page what changes at the desk, in the order in which it changes.

Does not look for changes itself: the desk tells them. Lamp, tone and keys are short messages, everything else is a
piece of the page.
"""

import asyncio

from phoneterm_bridge.console.event_stream import EventStreams

from desk_lab.desk import Desk, Event
from desk_lab.page.pieces import Pieces

TOPIC = "desk"


class LiveDesk:
    """What one desk's pages are told."""

    def __init__(self, desk: Desk, pieces: Pieces, streams: EventStreams) -> None:
        self._desk = desk
        self._pieces = pieces
        self._streams = streams
        self._news = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._last_line = 0

    def start(self) -> None:
        """Begin; from here on nothing is missed by a page that comes back."""
        self._streams.track((TOPIC,))
        self._last_line = self._desk.lines[-1].number if self._desk.lines else 0
        self._end = self._desk.listen(self._take)
        self._sending = asyncio.create_task(self._send(), name="desk page")

    async def stop(self) -> None:
        """End."""
        if self._sending is not None:
            self._end()
            self._sending.cancel()
            await asyncio.wait([self._sending])

    def _take(self, event: Event) -> None:
        match event["event"]:
            case "lamp":
                self._say({"do": "lamp", "on": event["on"]})
            case "tone":
                self._say({"do": "tone", "hz": event["hz"], "at_ms": event["time_ms"]})
            case "contact":
                self._say({"do": "key", "legend": event["legend"], "down": event["closed"]})
            case "display" | "signal" | "reset" | "end" | "power-lost":
                self._put("display", self._pieces.display())
            case "calls":
                self._put("calls", self._pieces.calls())
                self._put("receiver", self._pieces.receiver())
                self._put("strip", self._pieces.strip())
            case "standing":
                self._put("calls", self._pieces.calls())
                self._put("permission", self._pieces.permission())
            case "line":
                for line in tuple(self._desk.lines):
                    if line.number > self._last_line:
                        self._last_line = line.number
                        self._put(f"l-{line.number}", self._pieces.line(line), "lines")
            case _:
                return
        self._news.set()

    def _put(self, piece: str, html: str, container: str | None = None) -> None:
        self._say({"do": "put", "id": piece, "html": html} | ({"in": container} if container else {}))

    def _say(self, message: dict) -> None:
        self._streams.say(TOPIC, message)

    async def _send(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._streams.flush()
