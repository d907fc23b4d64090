"""Server-sent events: what has changed on pages, to every page that shows it, and nothing missed after a cut.

Does not look for changes. A page is made for some topics; from then on (`track`) every message of a topic has a number.
The page's stream begins after the number that the page was made with, and after a cut the browser names the last one
that it has (Last-Event-ID). What has been forgotten meanwhile, or was said by an earlier bridge, cannot be repeated:
then the one message is that the page should be loaded anew. A stream that does not take its messages is ended; the
browser comes back.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field

import orjson

MOST_STREAMS = 256
_MOST_KEPT = 1000
_MOST_WAITING = 2000
_MOST_DIGITS = 18  # of a number
_AT_ONCE_BYTES = 32 * 1024
_ALIVE_S = 15.0
_TRACKED_S = 120.0  # after the last stream of a topic
_MOST_IDLE = 50  # topics without a stream: each costs a look, seven times a second


@dataclass(eq=False)
class Stream:
    """One page's stream."""

    topics: frozenset[str]
    may_go_on: Callable[[], bool]
    waiting: deque[bytes] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def put(self, text: bytes) -> None:
        """Queue a message; too many end the stream."""
        if len(self.waiting) >= _MOST_WAITING:
            self.end()
            return
        self.waiting.append(text)

    def pop(self) -> bytes:
        """Return the first messages that wait, about as many as a connection takes at once."""
        texts, size = [], 0
        while self.waiting and size < _AT_ONCE_BYTES:
            texts.append(self.waiting.popleft())
            size += len(texts[-1])
        return b"".join(texts)

    def end(self) -> None:
        """End the stream once it has looked."""
        self.is_over = True
        self.news.set()


class EventStreams:
    """All streams of one server."""

    def __init__(self, most: int = MOST_STREAMS, alive_s: float = _ALIVE_S, tracked_s: float = _TRACKED_S) -> None:
        self._most = most
        self._alive_s = alive_s
        self._tracked_s = tracked_s
        self._run = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[tuple[int, str, bytes]] = deque(maxlen=_MOST_KEPT)
        self._tracked: dict[str, tuple[int, float]] = {}  # topic -> the number it is tracked from, when last wanted
        self._last_forgotten = 0
        self._streams: set[Stream] = set()
        self._is_closed = False

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    @property
    def is_full(self) -> bool:
        """Whether no further stream is taken."""
        return self._is_closed or len(self._streams) >= self._most

    def track(self, topics: Collection[str]) -> str:
        """Keep the messages of these topics from now on; return the id with which a page's stream begins."""
        now_s = asyncio.get_running_loop().time()
        for topic in topics:
            if topic not in self._tracked:  # nobody looked at it before: an earlier page may have missed something
                self._number += 1
            first, _ = self._tracked.get(topic, (self._number, 0.0))
            self._tracked[topic] = (first, now_s)
        return f"{self._run}-{self._number}"

    def topics(self) -> tuple[str, ...]:
        """Return the topics that somebody watches, or watched a short while ago."""
        streamed = frozenset[str]().union(*(stream.topics for stream in self._streams))
        self.track(streamed)
        now_s = asyncio.get_running_loop().time()
        others = self._tracked.keys() - streamed
        idle = sorted((now_s - self._tracked[topic][1], topic) for topic in others)
        for place, (idle_s, topic) in enumerate(idle):
            if idle_s > self._tracked_s or place >= _MOST_IDLE:
                del self._tracked[topic]
        return tuple(self._tracked)

    def say(self, topic: str, message: dict) -> None:
        """Have a message for every page with this topic (`flush` sends it), and keep it for those that are cut off."""
        self._number += 1
        text = _write(f"{self._run}-{self._number}", message)
        if len(self._kept) == _MOST_KEPT:
            self._last_forgotten = self._kept[0][0]
        self._kept.append((self._number, topic, text))
        for stream in self._streams:
            if topic in stream.topics:
                stream.put(text)

    async def read(
        self, topics: Collection[str], since: str | None, may_go_on: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[bytes]:
        """Give the text of a new stream, first what came after the id `since`; it ends when it may not go on."""
        if self.is_full:  # many came at once
            yield b"retry: 10000\n\n"
            return
        stream = Stream(frozenset(topics), may_go_on)
        begins = self.track(topics)
        missed = self._missed(stream.topics, since)
        self._streams.add(stream)
        try:
            begun = [f"retry: 1000\nid: {begins}\n\n".encode()]
            yield b"".join(begun + ([_write(begins, {"do": "reload"})] if missed is None else missed))
            while not stream.is_over and may_go_on():
                if stream.waiting:  # whatever has come together goes together: for many pages that costs much less
                    yield stream.pop()
                    continue
                stream.news.clear()
                try:
                    await asyncio.wait_for(stream.news.wait(), self._alive_s)
                except TimeoutError:
                    yield b": alive\n\n"
        finally:
            self._streams.discard(stream)

    async def flush(self) -> None:
        """Let the streams send what waits for them, one after the other: a command that has come goes first."""
        for stream in tuple(self._streams):
            if stream.waiting and not stream.news.is_set():
                stream.news.set()
                await asyncio.sleep(0)

    def recheck(self) -> None:
        """End the streams that may not go on."""
        for stream in self._streams:
            if not stream.may_go_on():
                stream.end()

    def close(self) -> None:
        """End all streams, and take no further one."""
        self._is_closed = True
        for stream in self._streams:
            stream.end()

    def _missed(self, topics: frozenset[str], since: str | None) -> list[bytes] | None:
        """Return the messages after an id; None where some may be missing."""
        run, _, number = (since or "").partition("-")
        if run != self._run or len(number) > _MOST_DIGITS or not number.isascii() or not number.isdigit():
            return None
        last = int(number)
        if not self._last_forgotten <= last <= self._number or any(self._tracked[one][0] > last for one in topics):
            return None
        return [text for number, topic, text in self._kept if number > last and topic in topics]


def _write(event_id: str, message: dict) -> bytes:
    return b"id: %s\ndata: %s\n\n" % (event_id.encode(), orjson.dumps(message))
