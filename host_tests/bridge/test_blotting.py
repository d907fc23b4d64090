"""Dialled numbers are kept for no longer than the settings say, and the journal stays whole all the same."""

import asyncio
import json
import sqlite3
import time
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.cli.journal import app as journal_app
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.settings.bridge import StoreSettings
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.journal_blotting import blot_numbers
from phoneterm_bridge.store.journal_proof import Head, prove
from phoneterm_bridge.store.reading import read_snapshot
from typer.testing import CliRunner

_T_MS = 1_780_000_000_000
_DAY_MS = 86_400_000


@pytest.fixture
def engine(tmp_path):
    """A store with one transfer a day to 0301000000, 0301000001, ... for ten days; the fourth is by a key alone."""
    engine = open_fresh_store(tmp_path / "bridge.db")
    directory = Directory(engine, "cli:anna", "host pc7")
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    directory.add_terminal("phone-101", "101")
    terminal = read_snapshot(engine).terminals["phone-101"]

    async def write():
        journal = Journal(engine)
        await journal.start()
        for day in range(10):
            op, number = ("cancel", None) if day == 3 else ("blind", f"03010000{day:02}")
            fields = {"id": f"s.{day}", "op": op, "number": number, "call": "c1"}
            at_ms = _T_MS + day * _DAY_MS
            recorded = await journal.open(terminal, fields, [Event("check", "passed", None, None, at_ms)], at_ms)
            journal.append(recorded, Event("action", op, None, None, at_ms))
            journal.append(recorded, Event("result", "done", None, None, at_ms))
        await journal.stop()

    asyncio.run(write())
    yield engine
    engine.dispose()


def everything(engine):
    """Return all that the store's files hold, as bytes."""
    path = engine.url.database
    files = [Path(path), Path(f"{path}-wal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def numbers(engine):
    with engine.connect() as connection:
        return list(connection.execute(sa.select(tables.commands.c.number).order_by(tables.commands.c.entry)).scalars())


def test_older_numbers_are_gone_from_the_files_and_newer_ones_are_there(engine):
    assert b"0301000004" in everything(engine)
    assert blot_numbers(engine, _T_MS + 5 * _DAY_MS, "host pc7") == 4
    assert numbers(engine) == ["*", "*", "*", None, "*", *(f"03010000{day:02}" for day in range(5, 10))]
    kept = everything(engine)
    for day in range(10):
        assert (f"03010000{day:02}".encode() in kept) == (day >= 5), day


def test_the_chain_is_whole_afterwards_and_says_what_is_no_longer_proven(engine):
    before = prove(engine)
    assert blot_numbers(engine, _T_MS + 5 * _DAY_MS, "host pc7") == 4
    after = prove(engine, Head(before.head.seq, before.head.hash))
    assert (after.problem, after.blotted) == (None, 4)
    assert after.head.seq == before.head.seq + 1  # the row that says so
    store = ["--set", f"store.path={engine.url.database}"]
    said = CliRunner().invoke(journal_app, ["verify", *store]).output
    assert said.endswith("The numbers of 4 entries were blotted out, so of these only their place is proven.\n")
    changes = CliRunner().invoke(journal_app, ["changes", "journal", "--json", *store]).output
    assert "dialled numbers blotted out up to entry" in json.loads(changes)[0]["what"]


def test_it_is_done_once_and_goes_on_where_it_stopped(engine):
    assert blot_numbers(engine, _T_MS + 2 * _DAY_MS, "") == 2
    assert blot_numbers(engine, _T_MS + 2 * _DAY_MS, "") == 0
    assert blot_numbers(engine, _T_MS + 20 * _DAY_MS, "") == 7
    assert blot_numbers(engine, _T_MS + 30 * _DAY_MS, "") == 0
    assert prove(engine).problem is None
    assert set(numbers(engine)) == {"*", None}


def test_what_happened_can_still_be_told_without_the_number(engine):
    blot_numbers(engine, _T_MS + 5 * _DAY_MS, "")
    answer = answer_why(engine, "101", datetime.fromtimestamp(_T_MS / 1000))
    assert (
        "101 keyed #1 and a number that is no longer kept. It worked: the caller was sent to a number"
        in answer["sentence"]
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE journal SET detail = replace(detail, 'phone-101', 'phone-102') WHERE seq = {kept}",
         "not what was written"),
        ("UPDATE journal SET detail = replace(detail, '0301000009', '*') WHERE seq = {kept}", "not what was written"),
        ("UPDATE journal_blotted SET seq = 1000000; "
         "UPDATE journal SET detail = replace(detail, '\"0301000009\"', '\"*\"') WHERE seq = {kept}; "
         "UPDATE commands SET number = '*' WHERE number = '0301000009'",
         "its number was blotted out, and no entry permits that"),
    ],
    ids=["a newer row is changed", "a newer row is blotted", "and the permission is forged"],
)  # fmt: skip
def test_nobody_else_can_pass_a_changed_row_off_as_a_blotted_one(engine, change, problem):
    blot_numbers(engine, _T_MS + 5 * _DAY_MS, "")
    raw = sqlite3.connect(engine.url.database)
    (kept,) = raw.execute("SELECT max(seq) FROM journal WHERE detail LIKE '%0301000009%'").fetchone()
    for trigger in ("journal_no_update", "commands_no_update"):
        raw.execute(f"DROP TRIGGER {trigger}")
    raw.executescript(change.format(kept=kept))
    raw.close()
    assert problem in prove(engine).problem


def test_the_store_itself_lets_nothing_but_old_numbers_be_changed(engine):
    blot_numbers(engine, _T_MS + 5 * _DAY_MS, "")
    for statement in (
        "UPDATE commands SET number = '*' WHERE number = '0301000009'",
        "UPDATE commands SET number = '110' WHERE number = '*'",
        "UPDATE commands SET extension = '102' WHERE number = '*'",
        "UPDATE journal SET detail = NULL WHERE seq = (SELECT max(seq) FROM journal WHERE entry IS NOT NULL)",
        "UPDATE journal SET word = 'x' WHERE seq = 5",
        "UPDATE journal SET detail = NULL WHERE stage = 'change'",
    ):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(statement)


async def test_a_running_bridge_forgets_by_the_setting_while_it_works(make, tmp_path):
    scene = make.Scene(tmp_path)
    scene.settings = scene.settings.model_copy(
        update={"store": StoreSettings(path=scene.settings.store.path, numbers_days=30)}
    )
    terminal_record = read_snapshot(scene.engine).terminals["phone-101"]
    journal = Journal(scene.engine)
    await journal.start()
    for number, age_days in (("0301111111", 31), ("0302222222", 1)):
        at_ms = int(time.time() * 1000) - age_days * _DAY_MS
        fields = {"id": f"s.{age_days}", "op": "blind", "number": number, "call": "c1"}
        await journal.open(terminal_record, fields, [Event("result", "done", None, None, at_ms)], at_ms)
    await journal.stop()
    await scene.start()
    try:
        await make.until(lambda: numbers(scene.engine)[0] == "*")
        terminal = await scene.terminal()
        await terminal.hello()
        assert await terminal.ask("blind", "102") == ("accepted", None)
        assert numbers(scene.engine) == ["*", "0302222222", "102"]
        assert prove(scene.engine).problem is None
    finally:
        await scene.stop()
