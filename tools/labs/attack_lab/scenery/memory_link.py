"""A link without a broker: what the bridge publishes is a list, and messages are put in by hand."""

import asyncio

from phoneterm_bridge.mqtt.link import LinkReceiver


class MemoryLink:
    """See Link. `published`: (topic, payload, is retained) of all that the bridge has said."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, bool]] = []
        self.reconnects = 0
        self.hearing: set[asyncio.Task[None]] = set()
        self.news = asyncio.Condition()
        self.receiver: LinkReceiver | None = None

    async def start(self, receiver: LinkReceiver) -> None:
        """Be up."""
        self.receiver = receiver
        receiver.on_link(True)

    async def stop(self) -> None:
        """Be down."""
        if self.receiver is not None:
            self.receiver.on_link(False)

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Keep what the bridge says."""
        self.published.append((topic, payload, is_retained))
        return True

    def reconnect(self) -> None:
        """Count it."""
        self.reconnects += 1

    async def send(self, topic: str, payload: bytes, is_retained: bool = False) -> None:
        """Return once the receiver has acknowledged the message, as a broker would see it."""
        assert self.receiver is not None
        is_taken = asyncio.Event()
        hearing = asyncio.create_task(self._hear(topic, payload, is_retained, is_taken))
        self.hearing.add(hearing)
        hearing.add_done_callback(self.hearing.discard)
        hearing.add_done_callback(lambda _: is_taken.set())
        await is_taken.wait()
        if hearing.done():
            hearing.result()

    async def _hear(self, topic: str, payload: bytes, is_retained: bool, is_taken: asyncio.Event) -> None:
        assert self.receiver is not None
        await self.receiver.on_message(topic, payload, is_retained, is_taken.set)
