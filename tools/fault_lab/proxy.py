"""A TCP proxy on 127.0.0.1 between an MQTT client and its broker that drops, delays, doubles, cuts, deafens, throttles.

Does not decide when: the armed script does, packet by packet. It passes whole packets, except where it cuts one.
Bounded: connections, the length of a packet, of a delay and of the log. Times are seconds of the event loop's clock.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from fault_lab.faults import DOWN, UP, Fault, Script
from fault_lab.mqtt_stream import PacketCutter, StreamBroken, WirePacket

HOST = "127.0.0.1"
MOST_CONNECTIONS = 32
_MOST_LOG = 1000
_MOST_IDENTS = 64
_READ_BYTES = 4096
_PACE_S = 0.02

# Is told of every packet: "seen" before anything is done with it, "passed" once it was written.
Watch = Callable[[str, str, WirePacket], None]


class FaultProxy:
    """One listening port; what connects there reaches the broker on `target_port`.

    `log` holds (time, direction, packet, what was done to it). `held` is how many packets wait for their delay.
    """

    def __init__(self, target_port: int, watch: Watch | None = None) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.watch = watch
        self.script = Script()
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
        self._server = await asyncio.start_server(self._join, HOST, 0, limit=_READ_BYTES)

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
        """Use this script from now on, from its beginning."""
        self.script = Script(faults)

    def heal(self) -> None:
        """No more faults. Connections that are deaf or throttled end; what is delayed still arrives."""
        self.script = Script()
        for connection in tuple(self._connections):
            if connection.is_deaf or connection.bytes_per_s:
                connection.abort()

    def cut(self) -> None:
        """End every connection now."""
        for connection in tuple(self._connections):
            connection.abort()

    def note(self, direction: str, packet: WirePacket, what: str) -> None:
        """Log what was done to a packet."""
        name = f"{packet.name} {packet.topic}".rstrip()
        self.log.append((asyncio.get_running_loop().time(), direction, name, what))

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._tasks.add(task)
        try:
            with suppress(OSError):
                there = await asyncio.open_connection(HOST, self._target_port, limit=_READ_BYTES)
                connection = _Connection(self, (reader, writer), there)
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


class _Connection:
    """One client and its way to the broker."""

    def __init__(
        self,
        proxy: FaultProxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        broker: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy = proxy
        self._ways = {UP: (client[0], broker[1]), DOWN: (broker[0], client[1])}
        self._sent: dict[str, OrderedDict[int, str]] = {UP: OrderedDict(), DOWN: OrderedDict()}
        self.is_deaf = False
        self.bytes_per_s = 0.0

    async def run(self) -> None:
        """Pass packets until both ways are closed."""
        tasks = [asyncio.create_task(self._pass_on(way)) for way in (UP, DOWN)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def abort(self) -> None:
        """Disconnect both sides at once."""
        for _, writer in self._ways.values():
            writer.transport.abort()

    async def _pass_on(self, way: str) -> None:
        reader, writer = self._ways[way]
        cutter = PacketCutter()
        with suppress(OSError, StreamBroken):
            while octets := await reader.read(_READ_BYTES):
                for packet in cutter.feed(octets):
                    await self._take(way, packet)
        if not self.is_deaf:
            writer.close()

    async def _take(self, way: str, packet: WirePacket) -> None:
        self._tell("seen", way, packet)
        fault = None if self.is_deaf else self._proxy.script.strike(way, packet, self._topic_of(way, packet))
        if fault is not None:
            self._proxy.note(way, packet, fault.effect)
        if fault is None:
            pass
        elif fault.effect == "drop":
            return
        elif fault.effect == "delay":
            await self._hold(fault.amount)
        elif fault.effect == "cut":
            await self._cut(way, packet, fault.amount)
        elif fault.effect == "half-open":
            self.is_deaf = True
        elif fault.effect == "throttle":
            self.bytes_per_s = fault.amount
        if self.is_deaf:
            return
        await self._write(way, packet.octets)
        if fault is not None and fault.effect == "duplicate":
            await self._write(way, packet.again())
        self._tell("passed", way, packet)

    async def _hold(self, delay_s: float) -> None:
        self._proxy.held += 1
        try:
            await asyncio.sleep(delay_s)
        finally:
            self._proxy.held -= 1

    async def _cut(self, way: str, packet: WirePacket, part: float) -> None:
        """Pass on a part of the packet, at least one byte less than all of it, and disconnect."""
        count = min(int(len(packet.octets) * part), len(packet.octets) - 1)
        writer = self._ways[way][1]
        writer.write(packet.octets[:count])
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.abort()
        raise ConnectionAbortedError("cut")

    async def _write(self, way: str, octets: bytes) -> None:
        writer = self._ways[way][1]
        at = 0
        while at < len(octets):
            count = len(octets) if not self.bytes_per_s else max(int(self.bytes_per_s * _PACE_S), 1)
            writer.write(octets[at : at + count])
            await writer.drain()
            at += count
            if self.bytes_per_s:
                await asyncio.sleep(count / self.bytes_per_s)

    def _topic_of(self, way: str, packet: WirePacket) -> str:
        """Return the topic of a PUBLISH, or of what a PUBACK acknowledges."""
        if packet.name == "PUBACK":
            return self._sent[DOWN if way == UP else UP].get(packet.ident, "")
        if packet.ident:
            sent = self._sent[way]
            sent[packet.ident] = packet.topic
            if len(sent) > _MOST_IDENTS:
                sent.popitem(last=False)
        return packet.topic

    def _tell(self, stage: str, way: str, packet: WirePacket) -> None:
        if self._proxy.watch is not None:
            self._proxy.watch(stage, way, packet)
