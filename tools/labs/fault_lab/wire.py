"""One connection through the fault proxy: passes whole packets both ways, and applies the faults that strike them.

Does not accept connections and does not know the script. Times are seconds.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from fault_lab.faults import DOWN, UP, Fault
from fault_lab.mqtt_stream import PacketCutter, StreamBroken, WirePacket

READ_BYTES = 4096
_MOST_IDENTS = 64
_PACE_S = 0.02


class Cutter(Protocol):
    """Cuts a stream into packets: mqtt_stream.PacketCutter, or tls_stream.RecordCutter for encrypted streams."""

    def feed(self, octets: bytes) -> list[WirePacket]:
        """Take octets; return the packets that are now complete."""


class Surroundings(Protocol):
    """What a wire needs from its proxy; `held` is how many packets are being delayed."""

    held: int

    def strike(self, direction: str, packet: WirePacket, topic: str) -> Fault | None:
        """Return the fault that strikes a packet."""

    def report(self, stage: str, direction: str, packet: WirePacket) -> None:
        """Note that a packet is "seen" or "passed"."""


class Wire:
    """One connection, both ways. `bytes_per_s` 0 means no limit."""

    def __init__(
        self,
        surroundings: Surroundings,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        broker: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        make_cutter: Callable[[], Cutter] = PacketCutter,
    ) -> None:
        self._surroundings = surroundings
        self._make_cutter = make_cutter
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
        cutter = self._make_cutter()
        with suppress(OSError, StreamBroken):
            while octets := await reader.read(READ_BYTES):
                for packet in cutter.feed(octets):
                    await self._on_packet(way, packet)
        if not self.is_deaf:
            writer.close()

    async def _on_packet(self, way: str, packet: WirePacket) -> None:
        self._surroundings.report("seen", way, packet)
        fault = None if self.is_deaf else self._surroundings.strike(way, packet, self._topic_of(way, packet))
        effect = fault.effect if fault is not None else ""
        if effect == "drop":
            return
        if fault is not None:
            await self._suffer(way, packet, fault)
        if self.is_deaf:
            return
        await self._write(way, packet.octets)
        if effect == "duplicate":
            await self._write(way, packet.again())
        self._surroundings.report("passed", way, packet)

    async def _suffer(self, way: str, packet: WirePacket, fault: Fault) -> None:
        """Apply a fault before a packet is passed on, or to the whole connection."""
        if fault.effect == "delay":
            await self._hold(fault.amount)
        elif fault.effect == "cut":
            await self._cut(way, packet, fault.amount)
        elif fault.effect == "half-open":
            self.is_deaf = True
        elif fault.effect == "throttle":
            self.bytes_per_s = fault.amount

    async def _hold(self, delay_s: float) -> None:
        self._surroundings.held += 1
        try:
            await asyncio.sleep(delay_s)
        finally:
            self._surroundings.held -= 1

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
        """Return the topic of a PUBLISH, or of the message that a PUBACK acknowledges."""
        if packet.name == "PUBACK":
            return self._sent[DOWN if way == UP else UP].get(packet.ident, "")
        if packet.ident:
            sent = self._sent[way]
            sent[packet.ident] = packet.topic
            if len(sent) > _MOST_IDENTS:
                sent.popitem(last=False)
        return packet.topic
