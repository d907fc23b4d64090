"""A TCP proxy on 127.0.0.1 between an MQTT client and its broker that can drop, delay, duplicate, cut or throttle.

Does not decide when: the armed script does, packet by packet. It passes whole packets, except where it cuts one.
It limits connections and the length of packets, delays and the log. Times are seconds of the event loop's clock.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from fault_lab.faults import Fault, Script
from fault_lab.mqtt_stream import PacketCutter, WirePacket
from fault_lab.wire import READ_BYTES, Cutter, Wire

HOST = "127.0.0.1"
MOST_CONNECTIONS = 32
_MOST_LOG = 1000

# Called with every packet: "seen" before anything is done with it, "passed" once it was written.
Watch = Callable[[str, str, WirePacket], None]


class FaultProxy:
    """One listening port; its connections go on to the broker on `target_port`.

    `log` holds (time, direction, packet, its fault). `held` is how many packets are being delayed.
    """

    def __init__(
        self, target_port: int, watch: Watch | None = None, make_cutter: Callable[[], Cutter] = PacketCutter
    ) -> None:
        """Take the function to call for every packet, and the class that cuts the streams: RecordCutter for TLS."""
        self._target_port = target_port
        self._make_cutter = make_cutter
        self._server: asyncio.Server | None = None
        self._connections: set[Wire] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch = watch
        self._script = Script()
        self.log: deque[tuple[float, str, str, str]] = deque(maxlen=_MOST_LOG)
        self.held = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise ValueError("the proxy has not been started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    async def start(self) -> None:
        """Start listening on a free port."""
        self._server = await asyncio.start_server(self._join, HOST, 0, limit=READ_BYTES)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is None:
            return
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()

    def arm(self, faults: Iterable[Fault]) -> None:
        """Start using this script from its beginning."""
        self._script = Script(faults)

    def heal(self) -> None:
        """Stop all faults. Half-open or throttled connections end; delayed packets still arrive."""
        self._script = Script()
        for connection in tuple(self._connections):
            if connection.is_deaf or connection.bytes_per_s:
                connection.abort()

    def strike(self, direction: str, packet: WirePacket, topic: str) -> Fault | None:
        """Return the fault that strikes a packet, and log it."""
        fault = self._script.strike(direction, packet, topic)
        if fault is not None:
            name = f"{packet.name} {packet.topic}".rstrip()
            self.log.append((asyncio.get_running_loop().time(), direction, name, fault.effect))
        return fault

    def report(self, stage: str, direction: str, packet: WirePacket) -> None:
        """Tell the watcher that a packet is "seen" or "passed"."""
        if self._watch is not None:
            self._watch(stage, direction, packet)

    def cut(self) -> None:
        """End every connection now."""
        for connection in tuple(self._connections):
            connection.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._tasks.add(task)
        try:
            with suppress(OSError):
                there = await asyncio.open_connection(HOST, self._target_port, limit=READ_BYTES)
                connection = Wire(self, (reader, writer), there, self._make_cutter)
                self._connections.add(connection)
                try:
                    await connection.run()
                finally:
                    connection.abort()
                    self._connections.discard(connection)
        except asyncio.CancelledError:
            pass  # `stop` cancels; the stream server would otherwise report it
        finally:
            writer.transport.abort()
            self._tasks.discard(task)
