"""Writes the journal off the event loop: one thread, and one commit for all that has gathered (group commit).

Does not know what the statements mean. A write waits for nothing but the disk; while the disk is busy the next group
gathers, so that thousands of commands a second share a few hundred commits. A write that fails tells its future.
"""

import asyncio
import queue
import threading
from collections.abc import Callable

import sqlalchemy as sa

from phoneterm_bridge.store.database import writing

_MOST_IN_GROUP = 512

Write = Callable[[sa.Connection], object]


class JournalWriter:
    """The one writer thread; `submit` may be called from the event loop that started it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[tuple[Write, asyncio.Future] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the thread; futures are resolved on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, write: Write) -> asyncio.Future:
        """Queue one write; the future has its return value once it is committed, or its error."""
        if self._loop is None:
            raise ValueError("the journal writer is not started")
        future = self._loop.create_future()
        future.add_done_callback(_look_at_error)
        self._queue.put((write, future))
        return future

    async def stop(self) -> None:
        """Commit what is queued and end the thread."""
        if self._thread is None:
            return
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._thread = None

    def _run(self) -> None:
        is_open = True
        while is_open:
            group = [self._queue.get()]
            while len(group) < _MOST_IN_GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            is_open = None not in group
            writes = [item for item in group if item is not None]
            if writes:
                results = self._commit(writes)
                self._loop.call_soon_threadsafe(_resolve, writes, results)

    def _commit(self, writes: list[tuple[Write, asyncio.Future]]) -> list[object]:
        """Run all writes in one transaction; if that fails, each in its own, so that one bad write fails alone."""
        try:
            with writing(self._engine) as connection:
                return [write(connection) for write, _ in writes]
        except sa.exc.SQLAlchemyError as error:
            if len(writes) == 1:
                return [error]
        return [self._commit([item])[0] for item in writes]


def _resolve(writes: list[tuple[Write, asyncio.Future]], results: list[object]) -> None:
    for (_, future), result in zip(writes, results, strict=True):
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)


def _look_at_error(future: asyncio.Future) -> None:
    """Keep asyncio from complaining about an error that nobody awaited: appends are not awaited."""
    if not future.cancelled():
        future.exception()
