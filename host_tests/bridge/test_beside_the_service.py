"""What root's commands make beside the service belongs to its user; a locked store is reported in one sentence."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest
from bridge.damaged_store import damage_table
from bridge.later_version import run_command, run_here
from bridge.other_user import OTHER, folder_for_others, run_as_other
from bridge.test_migrations import _SCHEMAS, make_old_store
from phoneterm_bridge.doctor.finding import PROBLEM
from phoneterm_bridge.doctor.store import examine_store
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.database import open_store, open_to_read, writing
from phoneterm_bridge.store.owner import own_store


@pytest.fixture
def folder():
    """The service's folder, which belongs to its user."""
    with folder_for_others() as folder:
        yield folder


def marks_of(folder):
    """Return the (owner, mode) of every file below a folder, by name."""
    return {path.name: (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


def test_a_store_that_root_has_made_belongs_to_the_folders_owner_with_all_beside_it(folder):
    old_mask = os.umask(0)
    try:
        engine = open_store(folder / "state" / "bridge.db")
        with writing(engine) as connection, own_store(folder / "state" / "bridge.db"):
            connection.exec_driver_sql("INSERT INTO users VALUES ('x', 0)")
            marks = marks_of(folder)
        engine.dispose()
    finally:
        os.umask(old_mask)
    assert marks.pop("state") == (OTHER, 0o700)
    beside = {"bridge.db", "bridge.db-wal", "bridge.db-shm", "bridge.db.lock", "bridge.db.bridge.lock"}
    assert marks == dict.fromkeys(beside, (OTHER, 0o600))


def test_the_services_user_can_write_what_root_has_made(folder):
    run_command("user", "add", "tech1", store=folder / "bridge.db")
    said = run_as_other(
        "import sqlite3",
        "store = sqlite3.connect('bridge.db')\n"
        "store.execute('UPDATE users SET multi_user_aware = 1'); store.commit(); print('done')",
        folder,
    )
    assert said == "done\n"


def test_backups_and_what_a_restore_and_an_upgrade_leave_belong_to_the_folders_owner(folder):
    store = folder / "bridge.db"
    make_old_store(store, _SCHEMAS[-2])
    os.chown(store, OTHER, -1)
    store.chmod(0o600)
    run_command("store", "upgrade", store=store)
    run_command("backup", "create", str(folder / "b.db"), store=store)
    run_command("backup", "restore", str(folder / "b.db"), store=store)
    run_command("user", "list", store=store)
    marks = marks_of(folder)
    assert len(marks) == 6  # store, both backups, the store before the restore, both locks
    assert set(marks.values()) == {(OTHER, 0o600)}


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a file away: run the tests as root.")
def test_a_store_that_locks_the_service_out_is_told_with_the_remedy(folder):
    open_store(folder / "bridge.db").dispose()
    os.chown(folder / "bridge.db", 0, 0)
    remedy = f"chown --reference={folder} {folder / 'bridge.db'}*"
    (found,) = [one for one in examine_store(folder / "bridge.db") if one.verdict == PROBLEM]
    assert found.change.text == remedy
    said = run_as_other(
        "from pathlib import Path; from phoneterm_bridge.store.database import open_store\n"
        "import alembic.command, sqlalchemy.dialects.sqlite",
        f"open_store(Path({str(folder / 'bridge.db')!r}))",
        folder,
    )
    assert said.splitlines()[-1].endswith(f"(its owner is not that of its folder: {remedy}); store.path changes it.")


@contextmanager
def locked(path):
    """Let another process lock a database exclusively."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA locking_mode = EXCLUSIVE'); c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True);"
        "sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"locked\n"
        yield
    finally:
        process.communicate()


@pytest.mark.parametrize(
    "arguments", [("user", "list"), ("user", "allow", "tech1"), ("store", "upgrade"), ("bridge", "run")], ids=" ".join
)
def test_a_locked_store_is_one_sentence(tmp_path, arguments):
    run_here("user", "add", "tech1", store=tmp_path / "bridge.db")
    with locked(tmp_path / "bridge.db"):
        said = run_here(*arguments, store=tmp_path / "bridge.db", exit_code=1)
    assert said.startswith(f"The store {tmp_path / 'bridge.db'} is locked: another program has been writing to it for")
    assert len(said.splitlines()) == 1


def test_a_store_that_is_locked_in_the_middle_of_a_change_is_one_sentence_too(tmp_path):
    run_here("user", "add", "tech1", store=tmp_path / "bridge.db")
    writer = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # readers are not blocked
    said = run_here("user", "allow", "tech1", store=tmp_path / "bridge.db", exit_code=1)
    assert said.startswith(f"The store {tmp_path / 'bridge.db'} is locked") and len(said.splitlines()) == 1
    assert "tech1" in run_here("user", "list", store=tmp_path / "bridge.db")
    writer.close()


def test_nobody_waits_longer_than_5_s_for_a_locked_store(tmp_path):
    for open_it in (open_store, open_to_read):
        engine = open_it(tmp_path / "bridge.db")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() < 5000
        engine.dispose()


def test_a_store_in_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupProblem, match=r"cannot be opened: (Not a directory|File exists); store\.path changes it"):
        open_store(tmp_path / "file" / "below" / "bridge.db")


@pytest.mark.parametrize("arguments", [("backup", "create"), ("backup", "restore"), ("user", "list")], ids=" ".join)
def test_a_store_whose_lock_cannot_be_made_is_one_sentence(tmp_path, arguments):
    store, backup = tmp_path / "bridge.db", tmp_path / "backup.db"
    open_store(store).dispose()
    run_here("backup", "create", str(backup), store=store)
    (tmp_path / "bridge.db.lock").unlink()
    (tmp_path / "bridge.db.lock").mkdir()
    files = {"create": [str(tmp_path / "new.db")], "restore": [str(backup)]}.get(arguments[1], [])
    said = run_here(*arguments, *files, store=store, exit_code=1)
    assert said == f"The store {store} cannot be opened: Is a directory; store.path changes it.\n"
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("arguments", [("user", "add", "tech1"), ("bridge", "run")], ids=" ".join)
def test_a_folder_in_the_place_of_the_store_is_one_sentence_and_gets_no_lock_beside_it(tmp_path, arguments):
    (tmp_path / "store").mkdir()
    said = run_here(*arguments, store=tmp_path / "store", exit_code=1)
    assert said == f"The store {tmp_path / 'store'} is no file; store.path names another.\n"
    assert [file.name for file in tmp_path.iterdir()] == ["store"]


def test_a_bridge_whose_store_is_damaged_says_so_in_one_sentence(tmp_path):
    store = tmp_path / "bridge.db"
    open_store(store).dispose()
    damage_table(store, "state")
    said = run_here("bridge", "run", "--set=broker.port=0", store=store, exit_code=1)
    assert said == f"The store {store} cannot be used: database disk image is malformed; store.path changes it.\n"


@pytest.mark.parametrize("arguments", [("user", "list"), ("terminal", "list"), ("store", "upgrade")], ids=" ".join)
def test_an_empty_store_is_told_as_that_and_stays_empty(tmp_path, arguments):
    store = tmp_path / "bridge.db"
    store.touch()
    said = run_here(*arguments, store=store, exit_code=1)
    assert said.startswith(f"The store {store} is empty yet: `phoneterm user add`")
    assert store.stat().st_size == 0


def test_an_upgrade_of_a_damaged_store_says_so(tmp_path):
    store = tmp_path / "bridge.db"
    open_store(store).dispose()
    assert "needs no upgrade" in run_here("store", "upgrade", store=store)
    damage_table(store, "terminals")
    said = run_here("store", "upgrade", store=store, exit_code=1)
    assert said.startswith(f"The store {store} is damaged (")
    assert "phoneterm backup restore FILE" in said


def test_an_empty_file_that_others_can_read_becomes_a_private_store(tmp_path):
    store = tmp_path / "bridge.db"
    store.touch()
    store.chmod(0o644)
    run_command("user", "add", "tech1", store=store)
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
