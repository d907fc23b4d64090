"""Who says too much, and two boards with one name: told, journalled, slowed down, and over after a quiet time."""

import asyncio

import pytest
from attack_lab.scenery.fresh_store import open_fresh_store
from bridge.clock import Clock
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_reading import find_change
from phoneterm_bridge.store.troubles import EXCESS, TWICE, read_at
from phoneterm_bridge.terminals.line_watch import QUIET_S, LineWatch
from phoneterm_bridge.terminals.troubles import Troubles

TID = "phone-101"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def engine(tmp_path):
    """A store with the terminal phone-101."""
    engine = open_fresh_store(tmp_path / "bridge.db")
    directory = Directory(engine, "test")
    directory.add_user("tech1")
    directory.add_extension("101", "tech1")
    directory.add_terminal(TID, "101")
    yield engine
    engine.dispose()


@pytest.fixture
def troubles(engine):
    return Troubles(engine)


@pytest.fixture
def watch(engine, troubles, clock):
    return LineWatch(engine, troubles, clock)


def journalled(engine):
    with engine.connect() as connection:
        query = "SELECT json_extract(detail, '$.what') FROM journal WHERE stage = 'change'"
        found = [what for (what,) in connection.exec_driver_sql(query)]
    return [what for what in found if what.startswith("slowed down or cut off: ")]


def test_a_few_take_overs_are_free_and_then_each_waits_twice_as_long(watch, troubles):
    assert [watch.note_take_over(TID) for _ in range(3)] == [0, 0, 0]
    assert not troubles.has(TID, TWICE)
    assert [watch.note_take_over(TID) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert troubles.has(TID, TWICE)


def test_take_overs_that_are_far_apart_are_free(watch, troubles, clock):
    for _ in range(20):
        assert watch.note_take_over(TID) == 0
        clock.now_s += 61
    assert not troubles.has(TID, TWICE)


def test_restarts_one_after_the_other_are_one_board(watch, troubles):
    assert [watch.note_boot(TID, f"b{number}") for number in range(20)] == [0] * 20
    assert watch.note_boot(TID, "b19") == 0
    assert not troubles.has(TID, TWICE)


def test_starts_that_speak_in_turn_are_two_boards(watch, troubles):
    assert [watch.note_boot(TID, boot) for boot in "abababa"] == [0, 0, 0, 1, 2, 4, 8]
    assert troubles.has(TID, TWICE)


def test_the_two_of_one_name_do_not_slow_down_another(watch):
    for _ in range(9):
        watch.note_take_over(TID)
    assert watch.note_take_over("phone-102") == 0


async def test_the_journal_is_told_once_in_ten_minutes_and_a_flood_cannot_fill_it(watch, engine, clock):
    for number in range(300):
        watch.note_excess(TID, f"reason {number}")
        await watch.keep()
        clock.now_s += 1
    assert journalled(engine) == ["slowed down or cut off: reason 0"]
    clock.now_s += QUIET_S
    watch.note_excess(TID, "again")
    await watch.keep()
    assert journalled(engine)[1:] == ["slowed down or cut off: again"]


async def test_what_happened_to_its_connection_is_no_change_of_its_permissions(watch, engine):
    before = find_change(engine, (TID,), 2**50)
    watch.note_excess(TID, "reason")
    await watch.keep()
    assert find_change(engine, (TID,), 2**50) == before


async def test_it_is_kept_in_the_store_and_over_after_a_quiet_time(watch, troubles, engine, clock):
    watch.note_excess(TID, "it is loud")
    await watch.keep()
    await troubles.keep()
    with engine.connect() as connection:
        assert [(one.tid, one.what, one.detail) for one in read_at(connection, "101")] == [(TID, EXCESS, "it is loud")]
        assert read_at(connection, "102") == []
    clock.now_s += QUIET_S
    await watch.keep()
    assert troubles.standing() == []


def test_a_terminal_that_got_new_secrets_starts_anew(watch, troubles):
    for _ in range(9):
        watch.note_take_over(TID)
    watch.forget(TID)
    assert troubles.standing() == []
    assert watch.note_take_over(TID) == 0


async def test_a_terminal_that_was_removed_meanwhile_keeps_nobody_from_the_journal(watch, engine):
    watch.note_excess("gone-1", "reason")
    watch.note_excess(TID, "reason")
    await watch.keep()
    assert len(journalled(engine)) == 1


async def test_two_that_keep_at_once_write_each_line_once(watch, engine):
    watch.note_excess(TID, "it says too much")
    await asyncio.gather(watch.keep(), watch.keep(), watch.keep())
    assert journalled(engine) == ["slowed down or cut off: it says too much"]
