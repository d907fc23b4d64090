"""Backup and restore: complete while commands flow, private, never overwriting, and refused while a bridge runs."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys

import pytest
import sqlalchemy as sa
from bridge.test_migrations import make_old_store
from phoneterm_bridge.cli.backup import app as backup_app
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.backup import create_backup, restore_backup
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.journal_reading import find_change
from phoneterm_bridge.store.store_lock import claim_store
from typer.testing import CliRunner


@pytest.fixture
def store(tmp_path):
    """A closed store with a user, an extension and the terminal phone-101."""
    path = tmp_path / "state" / "bridge.db"
    change(path, add_everything)
    return path


def add_everything(directory):
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    directory.add_terminal("phone-101", "101")


def change(path, work):
    """Open the store, change its directory, and return the directory's contents."""
    engine = open_store(path)
    try:
        work(Directory(engine, "test"))
        return reading.read_snapshot(engine)
    finally:
        engine.dispose()


def look(path):
    return change(path, lambda directory: None)


def run(*arguments, store, exit_code=0):
    result = CliRunner().invoke(backup_app, [*map(str, arguments), f"--set=store.path={store}"])
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return " ".join(result.output.split())


async def test_backups_made_while_commands_flow_are_whole_and_hold_nothing_up(scene, make, tmp_path):
    terminal = await scene.terminal()
    await terminal.hello()
    asked, is_over = [], asyncio.Event()

    async def flow():
        while not is_over.is_set():
            ref = f"f{len(asked)}"
            scene.pbx.change_calls("101", make.talking(ref))
            asked.append(await terminal.ask("blind", "102", call=ref))
            scene.pbx.listener.on_progress(ref, "done", None)

    flowing = asyncio.create_task(flow())
    entries = []
    for number in range(4):
        before = len(asked)
        await make.until(lambda before=before: len(asked) > before + 2)
        target = tmp_path / f"backup-{number}.db"
        head = await asyncio.to_thread(create_backup, scene.settings.store.path, target)
        entries.append(head.seq)
    is_over.set()
    await flowing
    assert entries == sorted(set(entries))
    assert set(asked) <= {("accepted", None), ("rejected", "rate")}  # a refusal is journalled too
    assert prove(scene.engine).problem is None
    for number, seq in enumerate(entries):
        restored = open_store(tmp_path / f"backup-{number}.db")
        assert prove(restored).head.seq == seq
        assert reading.read_snapshot(restored).terminals.keys() == {"phone-101"}
        restored.dispose()


def test_a_backup_is_one_private_file_and_its_head_is_told(store, tmp_path):
    said = run("create", tmp_path / "b.db", store=store)
    assert stat.S_IMODE((tmp_path / "b.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.db", "state"]
    engine = open_store(store)
    head = prove(engine).head
    engine.dispose()
    assert f"{head.seq} journal entries, proved up to {head.seq}:{head.hash.hex()}" in said


def test_a_backup_overwrites_nothing(store, tmp_path):
    (tmp_path / "b.db").write_text("mine")
    assert "b.db exists already; name a new one." in run("create", tmp_path / "b.db", store=store, exit_code=1)
    assert (tmp_path / "b.db").read_text() == "mine"
    said = run("create", tmp_path / "no" / "b.db", store=store, exit_code=1)
    assert said.endswith("b.db cannot be written: No such file or directory.")


def test_without_a_store_there_is_no_backup_and_no_new_store(tmp_path):
    said = run("create", tmp_path / "b.db", store=tmp_path / "none.db", exit_code=1)
    assert "There is no store" in said
    assert list(tmp_path.iterdir()) == []


def test_a_store_whose_chain_is_broken_gives_no_backup(store, tmp_path):
    connection = sqlite3.connect(store)
    connection.executescript("DROP TRIGGER journal_no_update; UPDATE journal SET word = 'x' WHERE seq = 2")
    connection.close()
    said = run("create", tmp_path / "b.db", store=store, exit_code=1)
    assert "is broken at entry 2: it is not what was written." in said
    assert not (tmp_path / "b.db").exists()


def test_a_restore_brings_everything_back_and_keeps_the_store_from_before(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    change(store, lambda directory: directory.add_user("late"))
    said = run("restore", tmp_path / "b.db", store=store)
    assert look(store).terminals.keys() == {"phone-101"}
    engine = open_store(store)
    assert prove(engine).problem is None
    assert [name for name, _, _ in reading.read_users(engine)] == ["tech1"]
    assert find_change(engine, ("store",), 1 << 50)[4] == "restored from a backup with 3 journal entries"
    engine.dispose()
    (kept,) = store.parent.glob("bridge.db.before-*")
    assert said.endswith(f"is kept as {kept}.".replace("  ", " "))
    engine = open_store(kept)
    assert [name for name, _, _ in reading.read_users(engine)] == ["late", "tech1"]
    engine.dispose()
    left = {path.name for path in store.parent.iterdir()}
    assert not [name for name in left if name.startswith("bridge.db.new")]
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_terminals_take_what_a_restored_store_says_because_its_revision_is_higher(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    for is_allowed in (False, True, False):
        later = change(store, lambda directory, flag=is_allowed: directory.set_multi_user_aware("tech1", flag))
    run("restore", tmp_path / "b.db", store=store)
    restored = look(store)
    assert restored.revision > later.revision
    assert restored.terminals["phone-101"].is_multi_user_aware


def test_a_terminal_revoked_since_the_backup_stays_revoked(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    change(store, lambda directory: directory.revoke_terminal("phone-101"))
    run("restore", tmp_path / "b.db", store=store)
    assert look(store).terminals["phone-101"].is_revoked


def test_a_damaged_store_can_be_replaced_and_is_kept_as_it_is(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    revision = look(store).revision
    store.write_bytes(b"not a database at all" * 100)
    run("restore", tmp_path / "b.db", store=store)
    assert look(store).revision > revision + 1000
    (kept,) = store.parent.glob("bridge.db.before-*")
    assert kept.read_bytes().startswith(b"not a database")


def test_a_backup_can_be_restored_where_there_is_no_store(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    (tmp_path / "new").mkdir()
    said = run("restore", tmp_path / "b.db", store=tmp_path / "new" / "bridge.db")
    assert "is kept" not in said
    assert look(tmp_path / "new" / "bridge.db").terminals.keys() == {"phone-101"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a backup: there is no store in it."),
        (b"hello", "is not a backup: file is not a database."),
        (b"SQLite format 3\0" + b"\0" * 5000, "is not a backup:"),
    ],
)
def test_what_is_no_backup_changes_nothing(store, tmp_path, content, sentence):
    (tmp_path / "b.db").write_bytes(content)
    before = store.read_bytes()
    assert sentence in run("restore", tmp_path / "b.db", store=store, exit_code=1)
    assert store.read_bytes() == before
    assert not list(store.parent.glob("*.before-*")) + list(store.parent.glob("*.new*"))
    assert "There is no file" in run("restore", tmp_path / "nothing.db", store=store, exit_code=1)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("DROP TRIGGER journal_no_update; UPDATE journal SET word = 'x' WHERE seq = 1", "is broken at entry 1"),
        ("UPDATE alembic_version SET version_num = '9999'", "has schema 9999, which is newer than this version knows"),
    ],
)
def test_a_backup_that_was_tampered_with_or_is_from_the_future_is_refused(store, tmp_path, harm, sentence):
    run("create", tmp_path / "b.db", store=store)
    connection = sqlite3.connect(tmp_path / "b.db")
    connection.executescript(harm)
    connection.close()
    before = store.read_bytes()
    assert sentence in run("restore", tmp_path / "b.db", store=store, exit_code=1)
    assert store.read_bytes() == before


async def test_nothing_is_restored_under_a_running_bridge(scene, tmp_path):
    store = scene.settings.store.path
    await asyncio.to_thread(create_backup, store, tmp_path / "b.db")
    said = await asyncio.to_thread(run, "restore", tmp_path / "b.db", store=store, exit_code=1)
    assert "is in use: stop the bridge first" in said


def test_a_killed_bridge_leaves_no_lock_behind(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    code = (
        "import sys, pathlib, os; from phoneterm_bridge.store.database import open_store; "
        "open_store(pathlib.Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"open\n"
        assert "is in use" in run("restore", tmp_path / "b.db", store=store, exit_code=1)
    finally:
        process.kill()
        process.communicate()
    run("restore", tmp_path / "b.db", store=store)


def test_a_store_that_is_being_restored_cannot_be_opened(store, tmp_path):
    run("create", tmp_path / "b.db", store=store)
    with claim_store(store):
        assert "is being restored at this moment" in run("create", tmp_path / "c.db", store=store, exit_code=1)
        with pytest.raises(Exception, match="is being restored at this moment"):
            open_store(store)


def test_a_backup_of_an_older_schema_is_brought_up_to_date(tmp_path):
    make_old_store(tmp_path / "old.db", "0001")
    (tmp_path / "state").mkdir()
    said = run("create", tmp_path / "b.db", store=tmp_path / "old.db")
    assert "older schema, so its journal was not proved" in said
    restore_backup(tmp_path / "b.db", tmp_path / "state" / "new.db", "test", "")
    assert look(tmp_path / "state" / "new.db").terminals.keys() == {"phone-101"}


def test_a_folder_with_a_question_mark_is_a_folder(tmp_path):
    odd = tmp_path / "a?mode=memory#%20"
    change(odd / "bridge.db", add_everything)
    assert create_backup(odd / "bridge.db", odd / "b.db").seq == 3
    assert os.path.getsize(odd / "b.db") > 0
    engine = open_store(odd / "bridge.db")
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.journal)).scalar_one() == 3
    engine.dispose()
