"""Each finding about this machine: settings, store, disk, clock, digit map, certificate; and the command itself."""

import json
import os
import sqlite3
import time
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime

import pytest
import typer
from bridge.damaged_store import damage_table
from doctor.reading import change_of, problems, verdicts
from phoneterm_bridge.cli import bridge_app
from phoneterm_bridge.cli.doctor import describe, doctor
from phoneterm_bridge.doctor.clock import compare_clocks, examine_clock
from phoneterm_bridge.doctor.disk import examine_disk
from phoneterm_bridge.doctor.examination import ask_all, make_sources
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.history import examine_history, has_heard_calls
from phoneterm_bridge.doctor.login import read_probe_login
from phoneterm_bridge.doctor.numbers import examine_digit_map, read_digit_map, sample_numbers
from phoneterm_bridge.doctor.settings_file import examine_settings
from phoneterm_bridge.doctor.store import Stored, examine_store, open_read_only, read_stored
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.database import open_store, writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.reading import read_snapshot
from typer.testing import CliRunner

Volume = namedtuple("Volume", ("f_flag", "f_bavail", "f_frsize"))  # the fields of statvfs that are used


def test_a_settings_file_that_others_can_read_is_named(tmp_path, make_settings):
    file = tmp_path / "phoneterm.toml"
    file.write_text("")
    file.chmod(0o640)
    assert change_of(examine_settings(make_settings(), file), "can read the settings").endswith(f"chmod 600 {file}")
    file.chmod(0o600)
    assert verdicts(examine_settings(make_settings(), file), "Only its owner can read") == [OK]


def test_settings_in_a_folder_for_the_services_group_are_for_that_group_and_nobody_else(tmp_path, make_settings):
    tmp_path.chmod(0o750)
    file = tmp_path / "bridge.toml"
    assert CliRunner().invoke(bridge_app, ["init", str(file)]).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o640
    assert verdicts(examine_settings(make_settings(), file), "Only its owner and its group can read") == [OK]
    for mode in (0o660, 0o644):
        file.chmod(mode)
        assert change_of(examine_settings(make_settings(), file), "can read the settings").endswith(f"chmod 640 {file}")
    file.chmod(0o640)
    tmp_path.chmod(0o755)
    assert change_of(examine_settings(make_settings(), file), "can read the settings").endswith(f"chmod 600 {file}")


def test_secrets_that_are_missing_and_roads_in_the_clear_are_named(make_settings):
    found = examine_settings(
        make_settings("pbx.host=192.0.2.1", "broker.embedded=false", "broker.password=short"), None
    )
    assert verdicts(found, "pbx.secret is empty") == [PROBLEM]
    assert verdicts(found, "in the clear") == [WARNING]
    assert verdicts(found, "fewer than 16 characters") == [WARNING]
    assert "short" not in str(found)


def test_a_store_that_is_right(store_path):
    assert [finding.verdict for finding in examine_store(store_path)] == [OK, OK]


def test_the_doctor_leaves_nothing_beside_a_store_that_nobody_has_open(store_path):
    before = sorted(store_path.parent.iterdir())
    examine_store(store_path)
    read_stored(store_path)
    examine_history(store_path)
    assert sorted(store_path.parent.iterdir()) == before


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    assert verdicts(examine_store(tmp_path / "none.db"), "There is no store") == [WARNING]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("revision", "verdict"), [("0003", WARNING), ("9999", PROBLEM)])
def test_another_schema_is_named_and_left_alone(store_path, revision, verdict):
    write(store_path, f"UPDATE alembic_version SET version_num = '{revision}'")
    assert verdicts(examine_store(store_path), f"has the schema {revision}") == [verdict]
    with open_read_only(store_path) as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == revision


def test_an_empty_file_and_a_file_that_is_no_store(tmp_path):
    (tmp_path / "empty.db").touch(mode=0o600)
    assert verdicts(examine_store(tmp_path / "empty.db"), "is empty; the bridge makes its tables") == [WARNING]
    (tmp_path / "text.db").write_text("this is no database, whatever its name is" * 30)
    found = examine_store(tmp_path / "text.db")
    assert verdicts(found, "cannot be read: file is not a database") == [PROBLEM]
    assert verdicts(found, "not only its owner") == [WARNING]
    assert read_stored(tmp_path / "text.db") == Stored()


def test_a_database_of_somebody_else_is_a_problem(tmp_path):
    with closing(sqlite3.connect(tmp_path / "mail.db")) as connection:
        connection.execute("CREATE TABLE letters (subject TEXT)")
    assert verdicts(examine_store(tmp_path / "mail.db"), "is no store of the bridge, so no bridge starts") == [PROBLEM]


def test_a_damaged_page_of_the_terminals_is_a_problem(store_path):
    damage_table(store_path, "terminals")
    found = examine_store(store_path)
    assert change_of(found, "is damaged: ").endswith("phoneterm backup restore FILE")
    assert problems(found)


@pytest.mark.parametrize(
    ("classes", "change"),
    [(("internal", "mobile"), "--classes 'internal'"), (("mobile",), "--classes CLASSES   # of internal, ")],
)
def test_a_remedy_does_not_take_every_class_from_a_terminal(store_path, classes, change):
    engine = open_store(store_path)
    Directory(engine, "test").set_classes("phone-101", classes)
    engine.dispose()
    found = examine_digit_map(PhoneSettings(), PolicySettings(), read_stored(store_path))
    assert change in change_of(found, "may dial mobile")


async def test_the_remedy_for_a_wrong_signature_is_new_secrets_and_no_revoking(store_path):
    engine = open_store(store_path)
    journal = Journal(engine)
    await journal.start()
    terminal = read_snapshot(engine).terminals["phone-101"]
    fields = {"id": "s.1", "op": "blind", "number": "102", "call": "c1"}
    await journal.open(terminal, fields, [Event("result", "rejected", "bad-signature")], int(time.time() * 1000))
    await journal.stop()
    engine.dispose()
    remedy = change_of(examine_history(store_path), "signed with another key")
    assert "phoneterm terminal rotate TID" in remedy
    assert "revoke" not in remedy


def test_a_journal_that_was_changed_at_its_end_is_a_problem(store_path):
    write(store_path, "DROP TRIGGER journal_no_update", "UPDATE journal SET word = 'x' WHERE seq = 2")
    assert verdicts(examine_store(store_path), "changed from outside: entry 2 is not") == [PROBLEM]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE permissions SET classes = 'external'", "the terminal 'phone-101' has other values than the entries"),
        ("INSERT INTO users VALUES ('eve', 1)", "the user 'eve' is there, and no entry has added it"),
        ("DROP TRIGGER commands_no_update", "the trigger 'commands_no_update' is missing in the store's schema"),
    ],
)
def test_a_right_or_a_schema_that_does_not_come_from_the_journal_is_a_problem(store_path, statement, said):
    write(store_path, statement)
    assert verdicts(examine_store(store_path), f"changed from outside: {said}") == [PROBLEM]


def test_a_journal_whose_last_entry_is_gone_is_a_problem(store_path):
    write(store_path, "DROP TRIGGER journal_no_delete", "DELETE FROM journal WHERE seq = 3")
    assert verdicts(examine_store(store_path), "its head does not fit") == [PROBLEM]


def test_the_end_of_a_long_journal_is_checked_without_its_beginning(store_path):
    engine = open_store(store_path)
    directory = Directory(engine, "test")
    with directory.together():
        for index in range(1200):
            directory.set_multi_user_aware("tech1", index % 2 == 0)
    engine.dispose()
    assert verdicts(examine_store(store_path), "last 1000 entries are whole; all are 1203") == [OK]


async def test_what_no_user_can_mend_is_told_from_the_journal(store_path):
    assert verdicts(examine_history(store_path), "No transfer of the last 7 days (0 commands) failed") == [OK]
    assert not has_heard_calls(store_path)
    engine = open_store(store_path)
    journal = Journal(engine)
    await journal.start()
    terminal = read_snapshot(engine).terminals["phone-101"]
    for index, (reason, age_days) in enumerate(
        [("not-permitted-by-pbx", 0), ("not-permitted-by-pbx", 1), ("pbx-misconfigured", 8), ("busy", 0)]
    ):
        fields = {"id": f"s.{index}", "op": "attended", "number": "102", "call": "c1"}
        events = [Event("event", "ringing")] * (reason == "busy") + [Event("result", "failed", reason)]
        await journal.open(terminal, fields, events, int((time.time() - age_days * 86400) * 1000))
    await journal.stop()
    engine.dispose()
    found = examine_history(store_path)
    assert verdicts(found, "failed 2 times because the PBX did not let the phone transfer") == [WARNING]
    assert len(found) == 1 and f"the last one: 101, {datetime.now():%-d %B %Y at}" in found[0].sentence
    assert has_heard_calls(store_path)


@pytest.mark.parametrize(
    ("free_mb", "verdict"), [(10, PROBLEM), (500, WARNING), (5000, OK)]
)  # fmt: skip
def test_a_disk_that_fills_up(store_path, free_mb, verdict):
    volume = Volume(f_flag=0, f_bavail=free_mb * 256, f_frsize=4096)
    assert verdicts(examine_disk(store_path, lambda _: volume), f"has {free_mb} MB free") == [verdict]


def test_a_disk_that_is_read_only_is_a_problem(store_path):
    volume = Volume(os.statvfs(store_path).f_flag | os.ST_RDONLY, f_bavail=10**6, f_frsize=4096)
    assert verdicts(examine_disk(store_path, lambda _: volume), "cannot write to") == [PROBLEM]


@pytest.mark.parametrize(("is_kept", "verdict"), [(True, OK), (False, WARNING), (None, UNKNOWN)])
def test_whether_the_clock_is_kept_right(is_kept, verdict):
    assert [finding.verdict for finding in examine_clock(ask_is_kept=lambda: is_kept)] == [verdict]


def test_a_year_that_cannot_be_is_a_problem():
    assert verdicts(examine_clock(datetime(2000, 1, 1, tzinfo=UTC)), "which cannot be right") == [PROBLEM]


@pytest.mark.parametrize(("there_s", "words"), [(101.5, "agrees"), (160.0, "60 s ahead of"), (70.0, "30 s behind")])
def test_clocks_that_do_not_agree(there_s, words):
    assert words in compare_clocks(100.0, there_s).sentence


def test_a_digit_map_that_is_not_right_is_a_problem(store_path):
    found = examine_digit_map(PhoneSettings(digit_map="internal:1xx|national:10x"), PolicySettings(), Stored())
    assert verdicts(found, "phones.digit_map is not right") == [PROBLEM]


def test_extensions_and_classes_that_the_digit_map_lacks(store_path, add_extension):
    add_extension("555")
    engine = open_store(store_path)
    Directory(engine, "test").set_classes("phone-101", ("internal", "mobile"))
    engine.dispose()
    found = examine_digit_map(PhoneSettings(), PolicySettings(), read_stored(store_path))
    assert "internal:555|" in change_of(found, "No phone can key these extensions")
    assert change_of(found, "may dial mobile").endswith("phoneterm terminal grant phone-101 --classes 'internal'")


def test_sample_numbers_are_of_their_class_and_always_the_same():
    digit_map = read_digit_map(PhoneSettings(digit_map="internal:2xx|emergency:11x|national:0[1-9]x.T|far:00[1-9]x.#"))
    samples = sample_numbers(digit_map)
    assert set(samples) == {"internal", "national", "far"} and all(samples.values())
    assert all(digit_map.class_of(number) == name for name, numbers in samples.items() for number in numbers)
    assert sample_numbers(digit_map) == samples
    assert {len(number) for number in samples["national"]} >= {2, 3, 7, 11}


def test_a_terminals_settings_that_are_none_are_one_sentence(tmp_path):
    for text in ("", "[]", "{}", '{"tid": "A b", "mqtt_password": "x"}', '{"tid": "a", "mqtt_password": 1}'):
        (tmp_path / "probe.json").write_text(text)
        with pytest.raises(SetupProblem, match="not the settings of a terminal"):
            read_probe_login(tmp_path / "probe.json")
    with pytest.raises(SetupProblem, match="cannot be read: No such file"):
        read_probe_login(tmp_path / "none.json")


async def test_a_source_that_breaks_hides_nothing(make_settings):
    async def break_down():
        raise RuntimeError("our own mistake")

    sources = make_sources(make_settings("pbx.port=1", "pbx.secret=x", "broker.port=1"))
    found = await ask_all(sources | {"disk": break_down})
    assert verdicts(found, "could not be checked: RuntimeError") == [UNKNOWN]
    assert {finding.part for finding in found} >= {"settings", "store", "clock", "digit map", "broker", "pbx"}


def test_the_command_ends_with_1_for_a_problem_and_tells_machines_the_same(store_path, monkeypatch):
    monkeypatch.setenv("PHONETERM_PBX__SECRET", "x")
    before = store_path.read_bytes()
    options = [f"--set=store.path={store_path}", "--set=pbx.port=1", "--set=broker.port=1"]
    app = typer.Typer()
    app.command()(doctor)
    for_people = CliRunner().invoke(app, options)
    assert for_people.exit_code == 1 and "PROBLEM   The PBX asterisk at 127.0.0.1:1" in for_people.output
    assert "  -> manager.conf, section [general]: enabled = yes" in for_people.output
    for_machines = CliRunner().invoke(app, ["--json", *options])
    found = json.loads(for_machines.output)
    assert problems([_as_finding(one) for one in found]) == [
        "The PBX asterisk at 127.0.0.1:1 cannot be reached: connection refused."
    ]
    assert store_path.read_bytes() == before


def test_what_a_pbx_says_of_itself_cannot_write_lines_of_its_own():
    said = describe([Finding(OK, "pbx", "The code is \x1b[2J\nok  x.", Change("a", "b\r"))])
    assert said.splitlines() == ["ok        The code is \\x1b[2J\\nok  x.", "            -> faster: a: b\\r", "1 ok."]


def _as_finding(fields):
    return namedtuple("_Finding", fields)(**fields)


def write(path, *statements):
    engine = open_store(path)
    with writing(engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
