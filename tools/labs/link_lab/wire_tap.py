"""Stands between an MQTT client and its broker on 127.0.0.1, to cut a connection or make it half-open.

Does not change what it passes on. Times are seconds of the event loop's clock.
"""

import asyncio

_SUBACK = 0x90


class WireTap:
    """One listening port; its connections go on to the broker. `subscribed_s`: when each SUBACK was passed on."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_deaf = False
        self.connected_s: list[float] = []
        self.subscribed_s: list[float] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Start listening."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def go_deaf(self) -> None:
        """Pass nothing on any more, and close nothing: a half-open connection."""
        self._is_deaf = True

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected_s.append(asyncio.get_running_loop().time())
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        self._writers += [writer, broker_writer]
        for source, target, is_from_broker in ((reader, broker_writer, False), (broker_reader, writer, True)):
            task = asyncio.create_task(self._pass_on(source, target, is_from_broker))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_from_broker: bool) -> None:
        try:
            while octets := await source.read(65536):
                if self._is_deaf:
                    continue
                target.write(octets)
                if is_from_broker and octets[0] == _SUBACK:
                    self.subscribed_s.append(asyncio.get_running_loop().time())
        except OSError:
            pass  # cut
        finally:
            if not self._is_deaf:
                target.close()
