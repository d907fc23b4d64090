"""Writes the journal: one commit for all writes queued in a turn of the event loop (group commit).

Does not know what the writes mean. While the disk is quick, a commit takes less time than a round trip to a thread, so
the loop itself does it. If commits have become slow, or another process is writing to the store, a thread does it.
The loop goes on meanwhile, and the next group gathers until the thread is done. Writes that nobody waits for gather for
a moment and become one commit, or join one that must not overtake them.
If the store cannot be written at all (disk full, read-only, locked for too long), those who wait get the error. Writes
that are kept are tried again, in order and before everything that comes later, until they are written or the writer is
stopped.
It uses the driver directly, without SQLAlchemy: on a busy bridge this is where the time goes.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from phoneterm_bridge.store.store_trouble import is_store_trouble

_MOST_IN_GROUP = 512
_MOST_DELAY_S = 0.02
# A checkpoint moves what was committed from SQLite's log into the file. That takes milliseconds, so the thread does it.
# If the loop writes so much that the thread never finishes, a commit does the rest.
_MOVED_AFTER = 100  # commits
_MOST_LOG_PAGES = 4000
_QUICK_S = 0.005  # commits that take longer make the loop late for everything else
_WEIGHT_OF_LAST = 1 / 8
_MOST_COUNTED_S = 0.02  # so one slow commit is not enough: it may have had to wait for something else
_SLOW_FOR_S = 1.0  # how long the thread writes after slow commits
_AGAIN_S = 0.5  # how long after a try that found the store not writable the next one begins
MOST_KEPT = 10_000  # writes; a few of each transfer that was under way when the store could still be written

# Carries out a group of writes on a connection, in order, and returns the result of each.
WriteGroup = Callable[[sqlite3.Connection, list[Any]], list[Any]]
_Item = tuple[Any, asyncio.Future | None, bool]  # the write, who waits for it, whether it is kept


class JournalWriter:
    """The one writer of a journal; everything is called from the event loop that started it.

    `on_lost` is called with the error of a write that nobody waits for, once it is given up.
    """

    def __init__(
        self, engine: sa.Engine, write_group: WriteGroup, on_lost: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
        on_trouble: Callable[[BaseException | None], None] = lambda error: None, most_kept: int = MOST_KEPT,
    ) -> None:  # fmt: skip
        """clock: returns monotonic seconds; it decides whether a commit is quick.

        on_trouble: called with the error when the store cannot be written any more, and with None when it can again.
        most_kept: how many writes wait for that.
        """
        self._most_kept = most_kept
        self._on_trouble = on_trouble
        self._trouble: BaseException | None = None
        self._again: asyncio.TimerHandle | None = None
        self._engine = engine
        self._write_group = write_group
        self._on_lost = on_lost
        self._clock = clock
        self._gathered: list[_Item] = []  # goes with the next commit
        self._later: list[_Item] = []  # nobody waits for it
        self._queued = 0
        self._commits = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: asyncio.Handle | None = None  # writes what has gathered in the next turn of the loop
        self._delay: asyncio.TimerHandle | None = None
        self._takes_s = 0.0  # the average time of a commit in the loop
        self._slow_until_s = 0.0
        self._in_thread: asyncio.Future | None = None

    @property
    def queued(self) -> int:
        """The number of writes that are not committed yet."""
        return self._queued

    def start(self) -> None:
        """Open the store for writing; futures are resolved on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "journal")
        self._impatient, self._patient = self._engine.raw_connection(), self._engine.raw_connection()
        self._impatient.cursor().execute("PRAGMA busy_timeout = 0")
        self._impatient.cursor().execute(f"PRAGMA wal_autocheckpoint = {_MOST_LOG_PAGES}")

    def submit(self, write: Any, is_last: bool = False, is_kept: bool = False) -> asyncio.Future:
        """Queue one write; once it is committed, the future has its result, or its error.

        is_last: it is committed after everything queued before it, not only after what somebody waits for. is_kept: if
        the store cannot be written, it is written later all the same.
        """
        loop = self._running_loop()
        future = loop.create_future()
        if is_last:
            self._gather_later()
        self._gathered.append((write, future, is_kept and not self._is_full))
        self._queued += 1
        if self._due is None:
            self._due = loop.call_soon(self._write)
        return future

    def add(self, write: Any) -> None:
        """Queue one write that nobody waits for: it is committed soon, after everything queued before it.

        If the store cannot be written, it is kept.
        """
        loop = self._running_loop()
        if self._trouble is not None and self._is_full:
            self._on_lost(self._trouble)
            return
        self._later.append((write, None, True))
        self._queued += 1
        if self._delay is None:
            self._delay = loop.call_later(_MOST_DELAY_S, self._write_later)

    def write_now(self) -> None:
        """Commit now what somebody waits for, rather than in the next turn of the loop."""
        if self._due is not None:
            self._write()

    async def stop(self) -> int:
        """Commit what is queued, and close; return how many writes are lost, because the store cannot be written."""
        if self._loop is None:
            return 0
        self._loop = None
        self._gather_later()
        is_tried = False
        while self._in_thread is not None or (self._gathered and not (is_tried and self._trouble)):
            is_tried = is_tried or self._in_thread is None
            self._write()
            if self._in_thread is not None:
                await asyncio.wait([self._in_thread])
        if self._again is not None:
            self._again.cancel()
        self._thread.shutdown()
        for connection in (self._impatient, self._patient):
            connection.invalidate()  # not returned to the pool: its connections have a busy timeout
        return len(self._gathered)

    @property
    def _is_full(self) -> bool:
        """Say whether no more writes can be kept."""
        return self._queued >= self._most_kept

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise ValueError("the journal writer is not running")
        return self._loop

    def _gather_later(self) -> None:
        """Let the writes that nobody waits for join the next commit."""
        if self._delay is not None:
            self._delay.cancel()
            self._delay = None
        self._gathered += self._later
        self._later.clear()

    def _write_later(self) -> None:
        self._gather_later()
        if self._trouble is None or self._again is None:  # otherwise it is tried again with what is kept
            self._write()

    def _write(self) -> None:
        """Commit what has gathered: here if that is quick, else in the thread, unless that still writes."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._in_thread is not None or not self._gathered:
            return
        # Of what is kept nothing may be overtaken, so whoever waits goes with all of it.
        most = _MOST_IN_GROUP if self._trouble is None else len(self._gathered)
        items, self._gathered = self._gathered[:most], self._gathered[most:]
        results = self._write_here([item[0] for item in items])
        if results is not None:
            self._resolve(items, results)
            if self._gathered:
                self._due = asyncio.get_running_loop().call_soon(self._write)
            return
        self._in_thread = asyncio.get_running_loop().run_in_executor(self._thread, self._write_patiently, items)
        self._in_thread.add_done_callback(lambda done: self._take_over(items, done))

    def _write_here(self, writes: list[Any]) -> list[Any] | None:
        """Commit in the loop; None, with nothing done, when the thread should do it."""
        started_s = self._clock()
        if started_s < self._slow_until_s or self._trouble is not None:
            return None
        try:
            results = _commit(self._impatient, self._write_group, writes)
        except Exception:  # the store is busy, or one of the writes is wrong: handling either takes longer
            return None
        self._commits += 1
        if self._commits % _MOVED_AFTER == 0:
            self._thread.submit(self._move_log)
        ended_s = self._clock()
        self._takes_s += (min(ended_s - started_s, _MOST_COUNTED_S) - self._takes_s) * _WEIGHT_OF_LAST
        if self._takes_s > _QUICK_S:
            self._slow_until_s, self._takes_s = ended_s + _SLOW_FOR_S, 0.0
        return results

    def _write_patiently(self, items: list[_Item]) -> list[Any]:
        return _commit_what_can_be(self._patient, self._write_group, [item[0] for item in items])

    def _move_log(self) -> None:
        self._patient.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _take_over(self, items: list[_Item], done: asyncio.Future) -> None:
        """The thread has written, or could not; go on with what has gathered meanwhile."""
        self._in_thread = None
        results = done.result()
        trouble = next((result for result in results if is_store_trouble(result)), None)
        self._resolve(items, results)
        if trouble is not None and self._again is None:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._try_again)
        before, self._trouble = self._trouble, trouble
        if (trouble is None) is not (before is None):
            self._on_trouble(trouble)
        if trouble is None or any(future is not None for _, future, _ in self._gathered):
            self._write()

    def _try_again(self) -> None:
        self._again = None
        self._gather_later()
        self._write()

    def _resolve(self, items: list[_Item], results: list[Any]) -> None:
        kept: list[_Item] = []
        for (write, future, is_kept), result in zip(items, results, strict=True):
            is_error = isinstance(result, BaseException)
            if is_error and is_kept and is_store_trouble(result):
                kept.append((write, None, True))
            elif is_error and (future is None or is_kept):
                self._on_lost(result)
            if future is not None and not future.done():
                if is_error:
                    future.set_exception(result)
                else:
                    future.set_result(result)
        self._queued -= len(items) - len(kept)
        self._gathered[:0] = kept


def _commit(pooled: sa.PoolProxiedConnection, write_group: WriteGroup, writes: list[Any]) -> list[Any]:
    """Carry out all writes in one transaction, or none."""
    connection: sqlite3.Connection = pooled.driver_connection  # type: ignore[assignment]
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = write_group(connection, writes)
        connection.execute("COMMIT")
    except Exception:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _commit_what_can_be(pooled: sa.PoolProxiedConnection, write_group: WriteGroup, writes: list[Any]) -> list[Any]:
    """Carry out all writes in one transaction; if that fails, each in its own, so that a bad write fails alone.

    When the store cannot be written, the writes that are left fail with it, and so none of them overtakes another.
    """
    try:
        return _commit(pooled, write_group, writes)
    except Exception as error:  # whatever it is, the thread goes on, and the write's future gets the error
        if len(writes) == 1 or is_store_trouble(error):
            return [error] * len(writes)
    results: list[Any] = []
    for write in writes:
        is_in_trouble = bool(results) and is_store_trouble(results[-1])
        results += results[-1:] if is_in_trouble else _commit_what_can_be(pooled, write_group, [write])
    return results
