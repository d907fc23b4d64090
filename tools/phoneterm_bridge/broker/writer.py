"""The embedded broker's output to a socket. Does not wait for ever for a client that reads nothing.

Such a client is told off with the reason, and its connection is aborted, whatever waits for it.
"""

import asyncio
import contextlib
from collections.abc import Callable

from amqtt.adapters import StreamWriterAdapter

_UNREAD_TIMEOUT_S = 10
_GOODBYE_S = 1
_UNREAD = "it does not read what it is sent"


def abort(writer: asyncio.StreamWriter) -> None:
    """End a connection at once, without sending what waits; nothing happens if it has ended."""
    with contextlib.suppress(AttributeError):  # asyncio's TLS forgets what it needs for this when it is gone
        writer.transport.abort()


class DoorWriter(StreamWriterAdapter):
    """amqtt's writer of one connection; `cut` is told why it must end."""

    def __init__(self, writer: asyncio.StreamWriter, cut: Callable[[str], None]) -> None:
        super().__init__(writer)
        self._cut = cut

    async def drain(self) -> None:
        """Wait until the client has read enough; ConnectionResetError if it does not."""
        try:
            async with asyncio.timeout(_UNREAD_TIMEOUT_S):
                await super().drain()
        except TimeoutError:
            self._cut(_UNREAD)
            abort(self._writer)
            raise ConnectionResetError(_UNREAD) from None

    async def close(self) -> None:
        """Send what waits, within a time limit, and end the connection."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await super().close()
        except TimeoutError:
            abort(self._writer)
