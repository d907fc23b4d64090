"""Writes the journal off the event loop: one thread, and one commit for all that has gathered (group commit).

Does not know what the writes mean. A write waits for nothing but the disk; while the disk is busy the next group
gathers, so that thousands of commands a second share a few hundred commits. A write that fails tells its future.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from phoneterm_bridge.store.database import writing

_MOST_IN_GROUP = 512

# Carries out a group of writes on a connection, in their order, and returns what each of them came to.
WriteGroup = Callable[[sa.Connection, list[Any]], list[Any]]


class JournalWriter:
    """The one writer thread; `submit` may be called from the event loop that started it."""

    def __init__(self, engine: sa.Engine, write_group: WriteGroup) -> None:
        self._engine = engine
        self._write_group = write_group
        self._queue: queue.SimpleQueue[tuple[Any, asyncio.Future] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def queued(self) -> int:
        """How many writes wait for the thread."""
        return self._queue.qsize()

    def start(self) -> None:
        """Start the thread; futures are resolved on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="journal", daemon=True)
        self._thread.start()

    def submit(self, write: Any) -> asyncio.Future:
        """Queue one write; the future has what it came to once it is committed, or its error."""
        if self._loop is None or self._thread is None:
            raise ValueError("the journal writer is not running")
        future = self._loop.create_future()
        future.add_done_callback(_look_at_error)
        self._queue.put((write, future))
        return future

    async def stop(self) -> None:
        """Commit what is queued and end the thread."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        self._queue.put(None)
        await asyncio.to_thread(thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        is_open = True
        while is_open:
            group = [self._queue.get()]
            while len(group) < _MOST_IN_GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            is_open = None not in group
            items = [item for item in group if item is not None]
            if items:
                results = self._commit([write for write, _ in items])
                futures = [future for _, future in items]
                loop.call_soon_threadsafe(_resolve, futures, results)

    def _commit(self, writes: list[Any]) -> list[Any]:
        """Carry all out in one transaction; if that fails, each in its own, so that one bad write fails alone."""
        try:
            with writing(self._engine) as connection:
                return self._write_group(connection, writes)
        except sa.exc.SQLAlchemyError as error:
            if len(writes) == 1:
                return [error]
        return [self._commit([write])[0] for write in writes]


def _resolve(futures: list[asyncio.Future], results: list[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)


def _look_at_error(future: asyncio.Future) -> None:
    """Keep asyncio from complaining about an error that nobody awaited: lines are not awaited."""
    if not future.cancelled():
        future.exception()
