"""The journal's writer: in the event loop while the disk is fast, else in a thread; nothing is lost or duplicated."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest
from attack_lab.scenery.fresh_store import open_fresh_store
from attack_lab.scenery.waiting import until
from phoneterm_bridge.store import journal_writer
from phoneterm_bridge.store.journal_writer import JournalWriter

HERE, THREAD = "MainThread", "journal_0"


class Scribe:
    """A writer on its own store, whose writes are texts. groups: (thread, writes) of each; takes_s: how long one
    takes by the clock of the test."""

    def __init__(self, path):
        self.path = path
        self.engine = open_fresh_store(path)
        self.groups = []
        self.lost = []
        self.now_s = 100.0
        self.takes_s = 0.0
        self.is_read_only = False
        self.troubles = []
        with closing(self.connect()) as connection:
            connection.execute("CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT UNIQUE)")
        told = (self.lost.append, lambda: self.now_s, self.troubles.append)
        self.writer = JournalWriter(self.engine, self._write, *told)

    def connect(self):
        return sqlite3.connect(self.path, isolation_level=None)

    def _write(self, connection, texts):
        self.groups.append((threading.current_thread().name, list(texts)))
        self.now_s += self.takes_s
        connection.execute(f"PRAGMA query_only = {self.is_read_only}")
        try:
            for text in texts:
                connection.execute("INSERT INTO texts (text) VALUES (?)", (text,))
        finally:
            connection.execute("PRAGMA query_only = OFF")
        return list(texts)

    def written(self):
        with closing(self.connect()) as connection:
            return [text for (text,) in connection.execute("SELECT text FROM texts ORDER BY number")]

    def threads(self):
        return [thread for thread, _ in self.groups]


@pytest.fixture
async def scribe(tmp_path):
    scribe = Scribe(tmp_path / "store.db")
    scribe.writer.start()
    yield scribe
    await scribe.writer.stop()
    scribe.engine.dispose()


async def test_what_gathers_in_one_turn_is_one_commit_in_the_loop(scribe):
    assert await asyncio.gather(*(scribe.writer.submit(text) for text in "abc")) == ["a", "b", "c"]
    assert scribe.groups == [(HERE, ["a", "b", "c"])]
    assert scribe.written() == ["a", "b", "c"]


async def test_what_nobody_waits_for_does_not_go_with_what_somebody_waits_for(scribe):
    scribe.writer.add("later")
    assert await scribe.writer.submit("now") == "now"
    assert scribe.groups == [(HERE, ["now"])]
    await until(lambda: scribe.writer.queued == 0)
    assert scribe.groups[1:] == [(HERE, ["later"])]


async def test_what_is_to_be_written_now_is_only_what_somebody_waits_for(scribe):
    scribe.writer.add("later")
    scribe.writer.write_now()
    assert scribe.groups == []
    waited_for = scribe.writer.submit("now")
    scribe.writer.write_now()
    assert waited_for.done()
    assert scribe.groups == [(HERE, ["now"])]
    scribe.writer.write_now()
    await asyncio.sleep(0)
    assert len(scribe.groups) == 1


async def test_what_comes_last_goes_with_all_that_was_queued_before_it(scribe):
    scribe.writer.add("a")
    scribe.writer.add("b")
    assert await scribe.writer.submit("c", is_last=True) == "c"
    assert scribe.groups == [(HERE, ["a", "b", "c"])]
    scribe.writer.add("d")
    await until(lambda: scribe.writer.queued == 0)
    assert scribe.groups[1:] == [(HERE, ["d"])]


async def test_what_nobody_waits_for_is_written_after_a_moment(scribe):
    scribe.writer.add("a")
    scribe.writer.add("b")
    assert scribe.writer.queued == 2
    await until(lambda: scribe.writer.queued == 0)
    assert scribe.written() == ["a", "b"]


async def test_while_the_disk_is_slow_a_thread_writes(scribe):
    scribe.takes_s = 0.1
    for text in ("slow", "and slow", "slow again", "in the thread"):
        await scribe.writer.submit(text)
    assert scribe.threads() == [HERE, HERE, HERE, THREAD]
    scribe.now_s += journal_writer._SLOW_FOR_S
    scribe.takes_s = 0.0
    await scribe.writer.submit("quick again")
    assert scribe.threads()[4:] == [HERE]


async def test_a_disk_that_is_a_little_slow_is_found_out_as_well(scribe):
    scribe.takes_s = 2 * journal_writer._QUICK_S
    for number in range(8):
        await scribe.writer.submit(str(number))
    assert THREAD in scribe.threads()


@pytest.mark.parametrize("takes_s", [0.03, 10.0])
async def test_one_commit_that_had_to_wait_does_not_make_the_disk_slow(scribe, takes_s):
    scribe.takes_s = takes_s
    await scribe.writer.submit("held up")
    scribe.takes_s = 0.0
    await scribe.writer.submit("quick")
    assert scribe.threads() == [HERE, HERE]


async def test_while_somebody_else_writes_the_loop_goes_on_and_the_writes_wait_in_order(scribe):
    with closing(scribe.connect()) as other:
        other.execute("BEGIN IMMEDIATE")
        first = scribe.writer.submit("first")
        await asyncio.sleep(0)
        scribe.writer.add("second")
        third = scribe.writer.submit("third", is_last=True)
        await asyncio.sleep(0)
        assert not first.done()
        assert scribe.groups == []
        other.execute("ROLLBACK")
        await asyncio.gather(first, third)
    assert scribe.groups[0] == (THREAD, ["first"])
    assert scribe.written() == ["first", "second", "third"]


async def test_of_a_group_with_a_bad_write_the_others_are_written_once(scribe):
    await scribe.writer.submit("there already")
    texts = ["a", "there already", "b"]
    results = await asyncio.gather(*(scribe.writer.submit(text) for text in texts), return_exceptions=True)
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert [results[0], results[2]] == ["a", "b"]
    assert scribe.written() == ["there already", "a", "b"]


async def test_who_loses_a_write_that_nobody_waits_for_is_told(scribe):
    await scribe.writer.submit("there already")
    scribe.writer.add("there already")
    await scribe.writer.submit("after it", is_last=True)
    assert [type(error) for error in scribe.lost] == [sqlite3.IntegrityError]


async def test_while_the_store_is_read_only_what_is_kept_waits_in_order_and_who_waits_is_told(scribe):
    scribe.is_read_only = True
    scribe.writer.add("a")
    kept = scribe.writer.submit("b", is_last=True, is_kept=True)
    told = await asyncio.gather(kept, scribe.writer.submit("never"), return_exceptions=True)
    assert [str(error) for error in told] == ["attempt to write a readonly database"] * 2
    scribe.writer.add("c")
    with pytest.raises(sqlite3.OperationalError):
        await scribe.writer.submit("nor this")
    assert (scribe.written(), scribe.writer.queued, len(scribe.troubles)) == ([], 3, 1)
    scribe.is_read_only = False
    await until(lambda: scribe.writer.queued == 0)
    assert scribe.written() == ["a", "b", "c"]
    assert scribe.troubles[1:] == [None]
    assert scribe.lost == []


async def test_what_comes_when_the_store_can_be_written_again_goes_behind_what_was_kept(scribe):
    scribe.is_read_only = True
    for number in range(journal_writer._MOST_IN_GROUP + 1):
        scribe.writer.add(str(number))
    with pytest.raises(sqlite3.OperationalError):
        await scribe.writer.submit("never", is_last=True)
    scribe.is_read_only = False
    await scribe.writer.submit("last")
    assert scribe.written() == [*map(str, range(journal_writer._MOST_IN_GROUP + 1)), "last"]


async def test_a_bad_write_among_those_that_are_kept_is_lost_alone(scribe):
    await scribe.writer.submit("there already")
    scribe.is_read_only = True
    for text in ("a", "there already", "b"):
        scribe.writer.add(text)
    with pytest.raises(sqlite3.OperationalError):
        await scribe.writer.submit("never", is_last=True)
    scribe.is_read_only = False
    await until(lambda: scribe.writer.queued == 0)
    assert scribe.written() == ["there already", "a", "b"]
    assert [type(error) for error in scribe.lost] == [sqlite3.IntegrityError]


async def test_stopping_while_the_store_is_read_only_ends_and_says_how_many_are_lost(scribe):
    scribe.is_read_only = True
    for text in "abc":
        scribe.writer.add(text)
    assert await scribe.writer.stop() == 3
    assert scribe.written() == []


async def test_more_than_fits_into_one_group_is_written_in_several(scribe):
    texts = [str(number) for number in range(2 * journal_writer._MOST_IN_GROUP + 1)]
    await asyncio.gather(*(scribe.writer.submit(text) for text in texts))
    assert [len(group) for _, group in scribe.groups] == [512, 512, 1]
    assert scribe.written() == texts


@pytest.mark.parametrize("is_slow", [False, True])
async def test_stopping_writes_what_is_queued(scribe, is_slow):
    scribe.takes_s = 0.1 if is_slow else 0.0
    for number in "123":
        await scribe.writer.submit(number)
    for text in "ab":
        scribe.writer.add(text)
    await scribe.writer.stop()
    assert scribe.threads()[3:] == [THREAD if is_slow else HERE]
    assert scribe.written() == ["1", "2", "3", "a", "b"]
    with pytest.raises(ValueError, match="not running"):
        scribe.writer.submit("too late")


async def test_the_log_is_moved_into_the_file_meanwhile(scribe):
    before = scribe.path.stat().st_size
    for number in range(journal_writer._MOVED_AFTER):
        await scribe.writer.submit(f"{number} " + "x" * 500)
    await until(lambda: scribe.path.stat().st_size > before)
