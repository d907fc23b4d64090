"""The embedded broker's input from a socket: first CONNECT, then whole packets, with limits on all of it.

Does not judge topics or payloads. A packet is read when the budget of its terminal allows, and when the client has
taken what it was sent before. Silence for one and a half times the keepalive (MQTT 3.1.1, 3.1.2.10) and whatever else
ends a connection raises ConnectionError with the reason; amqtt then publishes the will.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from amqtt.adapters import ReaderAdapter

from phoneterm_bridge.broker.client_packet import find_fault, is_subscribe, judge_first
from phoneterm_bridge.broker.connect_packet import MAX_CONNECT_BYTES, Connect, ConnectRefused, is_connect, parse_connect
from phoneterm_bridge.mqtt.budget import TOO_MUCH, Budget
from phoneterm_bridge.mqtt.packets import remaining_length

MOST_UNDONE = 32  # packets of one client that amqtt has not worked off
MOST_UNACKNOWLEDGED = 256  # messages to one client
MOST_SUBSCRIBED = 32  # filters of one client; the contract needs two
_CONNECT_TIMEOUT_S = 5
_LOOK_S, _MOST_LOOKS = 0.02, 500
_UNACKNOWLEDGED = f"it leaves more than {MOST_UNACKNOWLEDGED} messages unacknowledged"
_SUBSCRIBED = f"it subscribes to more than {MOST_SUBSCRIBED} filters"
_UNDONE = "it asks for more than it takes"


async def read_connect(reader: asyncio.StreamReader) -> Connect:
    """Return the client's CONNECT; ConnectRefused if it is bad, TimeoutError if it does not come in time."""
    async with asyncio.timeout(_CONNECT_TIMEOUT_S):
        if not is_connect((await reader.readexactly(1))[0]):
            raise ConnectRefused(0)
        size = await _read_size(reader)
        if size is None or size > MAX_CONNECT_BYTES:
            raise ConnectRefused(0)
        return parse_connect(await reader.readexactly(size))


@dataclass(frozen=True)
class Bounds:
    """What one client may do. undone, unacknowledged: how much there is of it now; cut: told why it must end."""

    most_bytes: int
    budget: Budget
    undone: Callable[[], int]
    unacknowledged: Callable[[], int]
    subscribed: Callable[[], int]
    cut: Callable[[str], None]


class DoorReader(ReaderAdapter):
    """Gives amqtt a rewritten CONNECT, and then one whole packet after the other; only the bridge has no bounds."""

    def __init__(
        self, first: bytes, reader: asyncio.StreamReader, keepalive_s: int, bounds: Bounds | None = None
    ) -> None:
        self._packet = first
        self._at = 0
        self._reader = reader
        self._silence_s = keepalive_s * 1.5 or None
        self._bounds = bounds

    async def read(self, n: int = -1) -> bytes:
        """Return exactly n octets."""
        if self._at == len(self._packet):
            self._packet, self._at = await self._read_packet(), 0
        taken = self._packet[self._at : self._at + n]
        if n < 0 or len(taken) < n:
            raise ConnectionError("a packet ends too early")
        self._at += n
        return taken

    def feed_eof(self) -> None:
        """Note that nothing more will be read."""
        self._reader.feed_eof()

    async def _read_packet(self) -> bytes:
        """Return the next packet, once it may be read."""
        if self._bounds is not None:
            await self._wait_for_room(self._bounds)
        try:
            async with asyncio.timeout(self._silence_s):
                first = (await self._reader.readexactly(1))[0]
                size = await _read_size(self._reader)
                if size is None:
                    raise ConnectionError("a length that is none")
                if self._bounds is not None:
                    self._end_for(judge_first(first, size, self._bounds.most_bytes), self._bounds)
                body = await self._reader.readexactly(size)
        except TimeoutError:
            raise ConnectionError("the client is silent for longer than its keepalive allows") from None
        if self._bounds is not None:
            self._end_for(find_fault(first, body), self._bounds)
            if is_subscribe(first) and self._bounds.subscribed() > MOST_SUBSCRIBED:
                self._end_for(_SUBSCRIBED, self._bounds)
            await self._pay(len(body), self._bounds)
        return bytes([first]) + remaining_length(size) + body

    async def _wait_for_room(self, bounds: Bounds) -> None:
        """Wait until amqtt has worked off enough of what this client has sent."""
        if bounds.unacknowledged() > MOST_UNACKNOWLEDGED:
            self._end_for(_UNACKNOWLEDGED, bounds)
        for _ in range(_MOST_LOOKS):
            if bounds.undone() <= MOST_UNDONE:
                return
            await asyncio.sleep(_LOOK_S)
        self._end_for(_UNDONE, bounds)

    async def _pay(self, octets: int, bounds: Bounds) -> None:
        """Wait until this packet is within the budget; the connection ends when that was so for too long."""
        owed_s = bounds.budget.spend(octets)
        if bounds.budget.is_overdrawn:
            bounds.budget.end_patience()
            self._end_for(TOO_MUCH, bounds)
        if owed_s:
            await asyncio.sleep(owed_s)

    def _end_for(self, fault: str | None, bounds: Bounds) -> None:
        if fault is not None:
            bounds.cut(fault)
            raise ConnectionError(fault)


async def _read_size(reader: asyncio.StreamReader) -> int | None:
    """Return the remaining length of a packet; None if it is none."""
    size = 0
    for shift in (0, 7, 14, 21):
        octet = (await reader.readexactly(1))[0]
        size |= (octet & 0x7F) << shift
        if not octet & 0x80:
            return size
    return None
