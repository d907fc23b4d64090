"""One connection to the bridge's pages, as uvicorn serves it, with an end. Does not know what is asked.

Found in uvicorn: it waits for ever for a request that was begun or never comes, and for a client that does not read the
answer, and says 503 to everybody once enough of those are open. So a request has a time limit here, and when there are
too many connections, the oldest that is not being answered makes room: whoever asks at once is always answered.
"""

import asyncio
import sys
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 60  # below uvicorn's own limit, with which the newest is refused
REQUEST_S = 10


class TimedConnection(H11Protocol):
    """The connection; each of its requests, waiting included, has to be over in time.

    most: so many are open at once. request_s: how long a request may take.
    """

    most = MOST_CONNECTIONS
    request_s: float = REQUEST_S

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self.accepted_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and end the oldest connection without a request if there are too many."""
        super().connection_made(transport)
        self.accepted_s = self.loop.time()
        self._restart()
        live = [one for one in self.connections if isinstance(one, TimedConnection) and not one.transport.is_closing()]
        idle = [one for one in live if not one.is_answering]
        if len(live) > self.most and idle:
            min(idle, key=lambda one: one.accepted_s).transport.abort()

    def on_response_complete(self) -> None:
        """Give the next request its time."""
        self._restart()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_clock()
        super().connection_lost(exc)

    @property
    def is_answering(self) -> bool:
        """Whether a whole request is there, and its answer is not yet complete."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _restart(self) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(self.request_s, self.transport.abort)


class StreamedConnection(TimedConnection):
    """A connection whose answers may go on for ever: only its requests have to arrive in time."""

    most = sys.maxsize  # the server's own limit refuses the newest: an old stream is not ended for a new one

    def handle_events(self) -> None:
        """Take what has arrived; the time is over once the whole request is there."""
        super().handle_events()
        if self.is_answering:
            self._stop_clock()
