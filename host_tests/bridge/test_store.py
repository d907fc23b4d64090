"""The store: migrations from the first schema on, and a directory that refuses impossible entries."""

import stat

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import passwords, reading, tables
from phoneterm_bridge.store.database import open_store, using, writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_reading import find_change


@pytest.fixture
def path(tmp_path):
    """The path of the store."""
    return tmp_path / "folder" / "bridge.db"


@pytest.fixture
def engine(path):
    """An empty store."""
    engine = open_store(path)
    yield engine
    engine.dispose()


@pytest.fixture
def directory(engine):
    """A directory with tech1 at 101."""
    directory = Directory(engine, "tester", "a desk")
    directory.add_user("tech1")
    directory.add_extension("101", "tech1")
    return directory


def test_the_migrations_make_the_tables_the_code_sees(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_opening_again_changes_nothing(path, engine, directory):
    revision = reading.read_revision(engine)
    again = open_store(path)
    assert reading.read_revision(again) == revision
    again.dispose()


def test_a_newer_schema_is_one_sentence(path, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupProblem, match="schema 9999, which is newer than this version knows"):
        open_store(path)


def test_a_file_that_is_no_store_is_one_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database at all, but long enough to look like one" * 20)
    with pytest.raises(SetupProblem, match=r"notes\.txt cannot be used: file is not a database"):
        open_store(tmp_path / "notes.txt")


def test_the_store_is_written_ahead_synchronous_with_foreign_keys_and_private(engine, path):
    with engine.connect() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in _PRAGMAS]
    assert pragmas == ["wal", 2, 1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


_PRAGMAS = ("journal_mode", "synchronous", "foreign_keys")


def test_foreign_keys_hold(engine):
    row = {"number": "1", "user": "nobody", "endpoint": "1", "context": "c", "type": "term"}
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(tables.extensions.insert().values(**row))


def test_every_change_raises_the_revision_and_says_who_did_what(engine, directory):
    before = reading.read_revision(engine)
    directory.set_multi_user_aware("tech1", True)
    assert reading.read_revision(engine) == before + 1
    last = find_change(engine, ("tech1",), 1 << 50)
    assert last[1:] == ("tester", "a desk", "tech1", "multi user aware True")


def test_a_refused_change_leaves_no_trace(engine, directory):
    before = reading.read_revision(engine)
    with pytest.raises(SetupProblem):
        directory.set_multi_user_aware("nobody", True)
    assert reading.read_revision(engine) == before


def test_a_new_terminal_may_transfer_internally_once_its_user_may(engine, directory):
    directory.add_terminal("phone-101", "101")
    record = reading.read_snapshot(engine).terminals["phone-101"]
    assert (record.allows_blind, record.allows_attended, record.classes) == (True, True, ("internal",))
    assert record.may_transfer is False
    directory.set_multi_user_aware("tech1", True)
    assert reading.read_snapshot(engine).terminals["phone-101"].may_transfer is True


def test_the_store_keeps_a_hash_of_the_password_only(engine, directory):
    enrolment = directory.add_terminal("phone-101", "101")
    record = reading.read_snapshot(engine).terminals["phone-101"]
    assert record.password_hash.startswith("$argon2id$")
    assert passwords.is_password(record.password_hash, enrolment.mqtt_password)
    assert not passwords.is_password(record.password_hash, enrolment.mqtt_password + "x")
    assert not passwords.is_password("no hash", "x")


def test_secrets_do_not_show_in_a_representation(directory, engine):
    enrolment = directory.add_terminal("phone-101", "101")
    shown = repr(enrolment) + repr(reading.read_snapshot(engine))
    assert enrolment.mqtt_password not in shown
    assert repr(enrolment.mac_key) not in shown


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.add_user("tech1"), "There already is a user 'tech1'"),
        (lambda d: d.add_user("a b"), "user name has 1 to 64"),
        (lambda d: d.add_user(""), "user name has 1 to 64"),
        (lambda d: d.add_extension("101", "tech1"), "There already is an? extension '101'"),
        (lambda d: d.add_extension("102", "nobody"), "There is no user 'nobody'"),
        (lambda d: d.add_extension("1x2", "tech1"), "number has digits"),
        (lambda d: d.add_extension("102", "tech1", endpoint="1\r\n2"), "endpoint has 1 to 64"),
        (lambda d: d.add_extension("102", "tech1", context=""), "context has 1 to 64"),
        (lambda d: d.add_terminal("Phone", "101"), "terminal's id has 1 to 32"),
        (lambda d: d.add_terminal("phone/+", "101"), "terminal's id has 1 to 32"),
        (lambda d: d.add_terminal("phone", "109"), "There is no extension '109'"),
        (lambda d: d.revoke_terminal("phone"), "There is no terminal 'phone'"),
        (lambda d: d.set_operation("phone", "swap", True), "blind or attended"),
        (lambda d: d.set_operation("phone", "blind", True), "There is no terminal 'phone'"),
        (lambda d: d.set_classes("phone", ("a,b",)), "class has 1 to 16"),
        (lambda d: d.set_classes("phone", ("a",) * 17), "at most 16"),
    ],
)
def test_what_cannot_be_is_one_sentence(directory, change, sentence):
    with pytest.raises(SetupProblem, match=sentence):
        change(directory)


@pytest.mark.parametrize(
    ("pragma", "words"),
    [
        ("max_page_count = 1", r"There is no room for the store .*store\.db: database or disk is full; make room"),
        ("query_only = ON", r"The store .*store\.db cannot be written: attempt to write a readonly database; file, "),
    ],
)
def test_why_a_store_cannot_be_written_is_told_with_the_remedy(tmp_path, pragma, words):
    path = tmp_path / "store.db"
    engine = open_store(path)
    with pytest.raises(SetupProblem, match=words), using(path), writing(engine) as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.exec_driver_sql("CREATE TABLE large AS SELECT zeroblob(100000)")
    engine.dispose()
