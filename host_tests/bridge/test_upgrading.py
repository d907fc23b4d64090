"""Only `store upgrade` and the bridge's start change a store's schema, after a backup; there is a way back."""

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
import time

import pytest
from bridge.later_version import SCHEMA, LaterVersion, run_command, run_here
from bridge.running_bridge import RunningBridge
from bridge.test_migrations import _SCHEMAS, make_old_store
from bridge.test_process import Desk
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.database import open_store, open_to_read, writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.owner import own_store
from phoneterm_bridge.store.upgrading import upgrade_store

NEWEST = _SCHEMAS[-1]
OLD = _SCHEMAS[-2]
READERS = [
    ("user", "list"), ("user", "export"), ("terminal", "list"), ("terminal", "show", "phone-101"), ("why", "101"),
    ("journal", "verify"), ("journal", "changes"), ("policy", "show"),
]  # fmt: skip
CHANGERS = [
    ("user", "add", "late"), ("user", "allow", "tech1"), ("terminal", "add", "--extension", "101", "--tid", "late"),
    ("terminal", "rotate", "phone-101"), ("terminal", "revoke", "phone-101", "--yes"), ("policy", "revoke"),
    ("terminal", "identify", "phone-101"), ("terminal", "wipe", "phone-101", "--yes"),
]  # fmt: skip


@pytest.fixture
def old_store(tmp_path):
    """A store with the schema before the newest one, with data, in a folder of its own."""
    path = tmp_path / "state" / "bridge.db"
    path.parent.mkdir()
    make_old_store(path, OLD)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """A version with one schema more than the tested one."""
    return LaterVersion(tmp_path_factory.mktemp("later"), NEWEST)


def schema_of(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    finally:
        connection.close()


def backups_of(path):
    return sorted(path.parent.glob(f"{path.name}.schema-*"))


@pytest.mark.parametrize("arguments", READERS + CHANGERS, ids=" ".join)
def test_every_other_command_says_which_schema_it_met_and_leaves_the_store_alone(old_store, arguments):
    before = old_store.read_bytes()
    said = run_here(*arguments, store=old_store, exit_code=1)
    assert said == (
        f"The store {old_store} has schema {OLD} of an earlier version, and this version works with {NEWEST}: stop the "
        "bridge, then `phoneterm store upgrade` upgrades it and keeps a backup.\n"
    )
    assert old_store.read_bytes() == before
    assert backups_of(old_store) == []


def test_an_upgrade_keeps_the_store_from_before_as_a_private_backup_and_says_so(old_store):
    said = run_command("store", "upgrade", store=old_store)
    (backup,) = backups_of(old_store)
    assert f"The store {old_store} has schema {NEWEST} now." in said and str(backup) in said
    assert (schema_of(old_store), schema_of(backup)) == (NEWEST, OLD)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    engine = open_store(old_store)
    assert prove(engine).problem is None
    engine.dispose()
    assert "needs no upgrade" in run_command("store", "upgrade", store=old_store)
    assert backups_of(old_store) == [backup]


def test_nothing_is_upgraded_while_a_bridge_has_the_store(old_store):
    with own_store(old_store):
        said = run_command("store", "upgrade", store=old_store, exit_code=1)
        assert said.startswith(f"Another bridge works with the store {old_store} already: stop that one first")
        said = run_command("bridge", "run", store=old_store, exit_code=1)
        assert said.startswith("Another bridge works with the store")
        assert (schema_of(old_store), backups_of(old_store)) == (OLD, [])


def test_two_upgrades_at_once_are_one(old_store):
    command = [sys.executable, "-c", "from phoneterm_cli.main import main; main()", "store", "upgrade"]
    both = [
        subprocess.Popen([*command, f"--set=store.path={old_store}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0].decode() for process in both]
    assert sum("It is kept as it was" in text for text in said) == 1, said
    assert all(process.returncode == 0 or "Another bridge" in text for process, text in zip(both, said, strict=True))
    assert len(backups_of(old_store)) == 1
    assert schema_of(old_store) == NEWEST


def test_an_upgrade_that_cannot_be_backed_up_does_not_happen(old_store):
    raw = sqlite3.connect(old_store)
    (page_bytes,) = raw.execute("PRAGMA page_size").fetchone()
    (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'journal'").fetchone()
    raw.close()
    with old_store.open("r+b") as file:
        file.seek((page - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)
    with pytest.raises(SetupProblem, match=r"(cannot be backed up|is damaged)"):
        upgrade_store(old_store)
    assert (schema_of(old_store), backups_of(old_store)) == (OLD, [])


def test_a_database_of_somebody_else_is_not_taken_for_a_store(tmp_path):
    path = tmp_path / "mail.db"
    raw = sqlite3.connect(path)
    raw.executescript("CREATE TABLE mails (subject TEXT)")
    raw.close()
    for use in (open_store, open_to_read, upgrade_store):
        with pytest.raises(SetupProblem, match=r"mail\.db is no store of the bridge"):
            use(path)


def test_without_a_store_nothing_is_upgraded_or_made(tmp_path):
    said = run_here("store", "upgrade", store=tmp_path / "none" / "bridge.db", exit_code=1)
    assert said.startswith(f"There is no store {tmp_path / 'none' / 'bridge.db'} yet: ")
    assert list(tmp_path.iterdir()) == []


async def test_the_start_of_the_bridge_upgrades_after_a_backup(old_store):
    async with RunningBridge(f"store.path={old_store}", "pbx.port=9") as bridge:
        told = await bridge.event("store-upgraded")
        await bridge.event("bridge-runs")
        bridge.signal(signal.SIGTERM)
        assert await bridge.exit_code() == 0
    (backup,) = backups_of(old_store)
    assert (told["schema_before"], told["schema"], told["backup"]) == (OLD, NEWEST, str(backup))
    assert (schema_of(old_store), schema_of(backup)) == (NEWEST, OLD)


async def test_a_running_bridge_goes_on_whatever_commands_of_a_later_version_are_tried(tmp_path, make, later):
    """The wrong order of an upgrade: the new version is installed while the old bridge still runs."""
    async with Desk(tmp_path, make) as desk:
        for arguments in [("user", "list"), ("user", "allow", "tech1"), ("why", "101"), ("terminal", "list")]:
            said = await asyncio.to_thread(later.run, *arguments, store=desk.store_path, exit_code=1)
            assert f"has schema {NEWEST} of an earlier version, and this version works with {SCHEMA}" in said
        for arguments in [("store", "upgrade"), ("bridge", "run")]:
            said = await asyncio.to_thread(later.run, *arguments, store=desk.store_path, exit_code=1)
            assert said.startswith("Another bridge works with the store")
        desk.proxy.is_to_hold = False
        command_id = await desk.send_a_transfer()
        await make.until(lambda: len(desk.terminal.results(command_id)) == 2, 30)
        assert desk.terminal.results(command_id) == [("accepted", None), ("done", None)]
        assert "journal-not-written" not in desk.bridge.events()
    assert (schema_of(desk.store_path), backups_of(desk.store_path)) == (NEWEST, [])


def test_after_an_upgrade_the_earlier_version_refuses_and_the_backup_is_the_way_back(tmp_path, later):
    store = tmp_path / "bridge.db"
    engine = open_store(store)
    directory = Directory(engine, "test")
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    directory.add_terminal("phone-101", "101")
    engine.dispose()
    later.run("store", "upgrade", store=store)
    later.run("user", "add", "late", store=store)
    (backup,) = backups_of(store)
    for arguments in [*READERS, *CHANGERS, ("store", "upgrade"), ("bridge", "run")]:
        said = run_here(*arguments, store=store, exit_code=1)
        assert said == (
            f"The store {store} has schema {SCHEMA}, which is newer than this version knows ({NEWEST}); update "
            "phoneterm, or restore the backup that the upgrade has kept beside it.\n"
        )
    assert schema_of(store) == SCHEMA
    assert "which is newer than this version knows" in run_here(
        "backup", "create", str(tmp_path / "b.db"), store=store, exit_code=1
    )
    assert not (tmp_path / "b.db").exists()
    run_here("backup", "restore", str(backup), store=store)
    assert run_here("user", "list", store=store).split() == ["tech1", "multi", "user", "aware", "101"]
    assert schema_of(store) == NEWEST


def test_a_command_that_only_reads_makes_no_store_and_no_folder(tmp_path):
    store = tmp_path / "none" / "bridge.db"
    for arguments in [*READERS, ("doctor",), ("terminal", "wipe", "phone-101")]:
        said = run_here(*arguments, store=store, exit_code=1)
        assert f"There is no store {store} yet" in said
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write_and_leaves_nothing_beside_the_store(tmp_path):
    open_store(tmp_path / "bridge.db").dispose()
    engine = open_to_read(tmp_path / "bridge.db")
    assert reading.read_users(engine) == []
    with pytest.raises(Exception, match="readonly"), writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO users VALUES ('x', 0)")
    engine.dispose()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bridge.db", "bridge.db.lock"]


def test_two_upgrades_in_one_second_keep_two_backups(old_store):
    """The first was cut off after its backup."""
    now_s = time.time()
    names = [time.strftime("%Y%m%d-%H%M%S", time.localtime(now_s + more_s)) for more_s in range(60)]
    taken = [old_store.with_name(f"{old_store.name}.schema-{OLD}-{name}") for name in names]
    for file in taken:
        file.write_bytes(b"whole")
    backup = upgrade_store(old_store).backup
    assert (schema_of(old_store), schema_of(backup)) == (NEWEST, OLD)
    assert backup not in taken and {file.read_bytes() for file in taken} == {b"whole"}


def test_an_upgrade_that_is_killed_while_it_backs_up_leaves_nothing_that_looks_like_a_backup(old_store):
    most_bytes = old_store.stat().st_size // 2  # whoever writes a longer file is killed
    code = (
        "import resource, signal, phoneterm_bridge.cli.store\n"
        "from phoneterm_cli.main import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))\n"
        "main()\n"
    )
    command = [sys.executable, "-B", "-c", code, "store", "upgrade", f"--set=store.path={old_store}"]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGXFSZ
    assert backups_of(old_store) == []
    assert old_store.with_name(f"{old_store.name}.upgrading").exists()
    run_command("store", "upgrade", store=old_store)
    (backup,) = backups_of(old_store)
    assert (schema_of(old_store), schema_of(backup)) == (NEWEST, OLD)
    assert not list(old_store.parent.glob("*.upgrading*"))
