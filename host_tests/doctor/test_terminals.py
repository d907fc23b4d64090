"""Each finding about terminals: not taken what they were sent, short of memory, and the remedy."""

import pytest
from doctor.reading import change_of, verdicts
from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING
from phoneterm_bridge.doctor.terminals import examine_terminals
from phoneterm_bridge.store.database import open_store, writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.troubles import Trouble, replace_all

SHORT = "the memory is too short to read it"


@pytest.fixture
def note(store_path):
    """Return a function that records troubles of terminals (tid, what, detail), as the bridge does."""

    def note(*troubles):
        engine = open_store(store_path)
        directory = Directory(engine, "test")
        for number in ("102", "103", "104", "105", "106", "107"):
            if f"phone-{number}" in {tid for tid, _, _ in troubles}:
                directory.add_extension(number, "tech1")
                directory.add_terminal(f"phone-{number}", number)
        replace_all(engine, [Trouble(tid, what, 1_780_000_000_000, detail) for tid, what, detail in troubles])
        engine.dispose()

    return note


def test_terminals_without_trouble_are_right(store_path):
    assert [finding.verdict for finding in examine_terminals(store_path)] == [OK]


def test_terminals_with_the_same_trouble_are_named_together_with_what_helps(store_path, note):
    note(*((f"phone-10{number}", "config", SHORT) for number in range(1, 8)))
    found = examine_terminals(store_path)
    words = (
        "phone-101, phone-102, phone-103, phone-104, phone-105 and 2 more have not taken their configuration: " + SHORT
    )
    assert verdicts(found, words) == [PROBLEM]
    assert "(since 28 May 2026 at" in found[0].sentence
    assert "firmware frozen in" in change_of(found, words)


def test_what_is_refused_for_another_reason_is_changed_elsewhere(store_path, note):
    note(("phone-101", "config", "there are no tones for country zz"), ("phone-101", "permissions", "x"))
    found = examine_terminals(store_path)
    assert verdicts(found, "has not taken its configuration: there are no tones for country zz") == [PROBLEM]
    assert "section [phones]" in change_of(found, "configuration")
    assert "reboot" in change_of(found, "permissions")


def test_a_terminal_that_is_short_of_memory_is_a_warning(store_path, note):
    note(("phone-101", "memory", "ESP-IDF had only 548 bytes left at one time"))
    found = examine_terminals(store_path)
    assert verdicts(found, "The terminal phone-101 is short of memory: ESP-IDF had only 548 bytes left") == [WARNING]
    assert "PSRAM" in change_of(found, "short of memory")


def test_a_revoked_terminal_and_a_store_of_an_earlier_schema_are_passed_over(store_path, note, tmp_path):
    note(("phone-101", "config", SHORT))
    engine = open_store(store_path)
    Directory(engine, "test").revoke_terminal("phone-101")
    assert [finding.verdict for finding in examine_terminals(store_path)] == [OK]
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE troubles")
    engine.dispose()
    assert examine_terminals(store_path) == examine_terminals(tmp_path / "none.db") == []
