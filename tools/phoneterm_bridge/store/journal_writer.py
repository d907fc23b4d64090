"""Writes the journal off the event loop: one thread, and one commit for all that has gathered (group commit).

Does not know what the writes mean. A write that is waited for waits for nothing but the disk; while the disk is busy
the next group gathers, so that thousands of commands a second share a few hundred commits. A write that nobody waits
for goes with the next one that somebody does, or after a moment. The thread speaks to the driver itself, without
SQLAlchemy: on a busy bridge this is where the time goes.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import sqlalchemy as sa

_MOST_IN_GROUP = 512
_MOST_DELAY_S = 0.02

# Carries out a group of writes on a connection, in their order, and returns what each of them came to.
WriteGroup = Callable[[sqlite3.Connection, list[Any]], list[Any]]
_Item = tuple[Any, asyncio.Future | None]


class JournalWriter:
    """The one writer thread; `submit` and `add` may be called from the event loop that started it.

    `on_lost` is called with the error of a write that nobody waits for.
    """

    def __init__(self, engine: sa.Engine, write_group: WriteGroup, on_lost: Callable[[BaseException], None]) -> None:
        self._engine = engine
        self._write_group = write_group
        self._on_lost = on_lost
        self._gathered: list[_Item] = []
        self._queued = 0
        self._queue: queue.SimpleQueue[list[_Item] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_due = False  # what has gathered is handed over at the end of this turn of the loop
        self._delay: asyncio.TimerHandle | None = None

    @property
    def queued(self) -> int:
        """How many writes are not committed yet."""
        return self._queued

    def start(self) -> None:
        """Start the thread; futures are resolved on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="journal", daemon=True)
        self._thread.start()

    def submit(self, write: Any) -> asyncio.Future:
        """Queue one write; the future has what it came to once it is committed, or its error."""
        loop = self._running_loop()
        future = loop.create_future()
        self._gathered.append((write, future))
        self._queued += 1
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._hand_over)
        return future

    def add(self, write: Any) -> None:
        """Queue one write that nobody waits for: it is committed after all that was queued before it."""
        loop = self._running_loop()
        self._gathered.append((write, None))
        self._queued += 1
        if self._delay is None and not self._is_due:
            self._delay = loop.call_later(_MOST_DELAY_S, self._hand_over)

    async def stop(self) -> None:
        """Commit what is queued and end the thread."""
        if self._thread is None:
            return
        self._hand_over()
        thread, self._thread = self._thread, None
        self._queue.put(None)
        await asyncio.to_thread(thread.join)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._thread is None:
            raise ValueError("the journal writer is not running")
        return self._loop

    def _hand_over(self) -> None:
        """Give the thread what has gathered."""
        self._is_due = False
        if self._delay is not None:
            self._delay.cancel()
            self._delay = None
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._queue.put(gathered)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        with closing(self._engine.raw_connection()) as pooled:
            connection: sqlite3.Connection = pooled.driver_connection  # type: ignore[assignment]
            is_open = True
            while is_open:
                items: list[_Item] = []
                gathered = self._queue.get()
                while gathered is not None:
                    items += gathered
                    if len(items) >= _MOST_IN_GROUP or self._queue.empty():
                        break
                    gathered = self._queue.get_nowait()
                is_open = gathered is not None
                if items:
                    results = self._commit(connection, [write for write, _ in items])
                    loop.call_soon_threadsafe(self._resolve, items, results)

    def _commit(self, connection: sqlite3.Connection, writes: list[Any]) -> list[Any]:
        """Carry all out in one transaction; if that fails, each in its own, so that one bad write fails alone."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = self._write_group(connection, writes)
            connection.execute("COMMIT")
        except Exception as error:  # whatever it is, the thread goes on and the write's future has it
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(writes) == 1:
                return [error]
        else:
            return results
        return [self._commit(connection, [write])[0] for write in writes]

    def _resolve(self, items: list[_Item], results: list[Any]) -> None:
        self._queued -= len(items)
        for (_, future), result in zip(items, results, strict=True):
            if future is None:
                if isinstance(result, BaseException):
                    self._on_lost(result)
            elif not future.done():
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)
