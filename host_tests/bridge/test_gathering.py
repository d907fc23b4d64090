"""Many changes of the directory at once: the store is free until they are written, and the journal has each of them."""

import pytest
import sqlalchemy as sa
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.database import writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.directory_proof import find_untold
from phoneterm_bridge.store.journal_reading import read_changes


@pytest.fixture
def engine(tmp_path):
    engine = open_fresh_store(tmp_path / "bridge.db")
    directory = Directory(engine, "test")
    directory.add_user("anna", True)
    directory.add_extension("101", "anna")
    directory.add_terminal("phone-101", "101")
    yield engine
    engine.dispose()


def add_ben(directory):
    directory.add_user("ben")
    directory.add_extension("102", "ben")
    return directory.add_terminal("phone-102", "102")


def said(engine):
    return [(change.subject, change.what) for change in read_changes(engine, None, 100)]


def write_elsewhere(engine):
    """Write as the running bridge does, which waits for nobody."""
    other = sa.create_engine(engine.url, connect_args={"timeout": 0})
    with other.begin() as connection:
        connection.exec_driver_sql("UPDATE commands_indexed SET entry = entry")
    other.dispose()


def test_the_store_is_free_while_the_changes_are_made_and_then_has_all_of_them(engine):
    directory, before, revision = Directory(engine, "cli:anna"), said(engine), reading.read_revision(engine)
    with directory.gathered():
        enrolment = add_ben(directory)
        directory.set_classes("phone-101", ("internal", "national"))
        write_elsewhere(engine)
        assert said(engine) == before
    snapshot = reading.read_snapshot(engine)
    assert snapshot.terminals["phone-102"].key == enrolment.mac_key
    assert snapshot.terminals["phone-101"].classes == ("internal", "national")
    assert snapshot.revision == revision + 4
    assert len(said(engine)) == len(before) + 4
    with engine.connect() as connection:
        assert find_untold(connection) is None


def test_terminals_that_were_added_at_once_are_listed_in_order(engine):
    numbers = [str(number) for number in range(120, 150)]
    directory = Directory(engine, "test")
    with directory.gathered():
        directory.add_user("cleo")
        for number in numbers:
            directory.add_extension(number, "cleo")
            directory.add_terminal(f"phone-{number}", number)
    terminals = reading.read_snapshot(engine).terminals.values()
    assert [terminal.extension for terminal in terminals] == ["101", *numbers]


def test_nothing_is_written_when_one_change_cannot_be_made(engine):
    directory, before = Directory(engine, "test"), said(engine)
    with pytest.raises(SetupProblem, match="no user"), directory.gathered():
        add_ben(directory)
        directory.add_extension("103", "nobody")
    assert said(engine) == before
    assert "phone-102" not in reading.read_snapshot(engine).terminals
    directory.add_user("carl")  # and the next change goes to the store itself
    assert said(engine)[0][0] == "carl"


def test_what_the_bridge_has_noted_meanwhile_comes_first_and_the_revisions_go_on(engine):
    directory = Directory(engine, "test")
    with directory.gathered():
        add_ben(directory)
        Directory(engine, "bridge").note_line("phone-101", "it says too much")
    assert [subject for subject, _ in said(engine)[:4]] == ["phone-102", "102", "ben", "phone-101"]
    with engine.connect() as connection:
        details = connection.execute(sa.select(tables.journal.c.detail).order_by(tables.journal.c.seq)).scalars().all()
        revision = sa.func.json_extract(tables.journal.c.detail, "$.revision")
        revisions = connection.execute(sa.select(revision).order_by(tables.journal.c.seq)).scalars().all()
    assert len(details) == len(revisions)
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == reading.read_revision(engine)


def test_who_changes_the_same_tables_meanwhile_wins(engine):
    directory = Directory(engine, "test")
    with pytest.raises(SetupProblem, match="try again"), directory.gathered():
        add_ben(directory)
        Directory(engine, "other").revoke_terminal("phone-101")
    assert reading.read_snapshot(engine).terminals["phone-101"].is_revoked
    assert "phone-102" not in reading.read_snapshot(engine).terminals


def test_a_store_of_an_early_version_gets_the_entry_that_names_all_that_was_there(engine):
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER journal_no_update")
        connection.exec_driver_sql("UPDATE journal SET detail = json_remove(detail, '$.now')")
    with Directory(engine, "test").gathered():
        pass
    with engine.connect() as connection:
        assert find_untold(connection) is None
