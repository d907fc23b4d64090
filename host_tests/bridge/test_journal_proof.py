"""The journal's chain: a changed, added or removed entry is detected, at the first one that is wrong."""

import asyncio
import json

import pytest
import sqlalchemy as sa
from attack_lab.scenery.tampered_journal import (
    LAST,
    ask_journal,
    change_schema,
    fill_journal,
    harm,
    hide_in_schema,
    leave_out_of_index,
    lie_in_view,
    tamper,
)
from bridge.test_migrations import make_old_store
from phoneterm_bridge.cli import journal_app
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.head_noting import keep_noting
from phoneterm_bridge.store.journal_chain import MANY, Row, hash_row
from phoneterm_bridge.store.journal_proof import Head, prove
from phoneterm_bridge.store.journal_reading import read_changes, read_news, read_timelines
from phoneterm_bridge.store.schema import known_schemas
from phoneterm_bridge.wording.logs import set_up_logs
from typer.testing import CliRunner


@pytest.fixture
async def path(tmp_path):
    """A store whose journal has 9 entries."""
    path = tmp_path / "bridge.db"
    await fill_journal(path)
    return path


def prove_file(path, noted=None):
    engine = open_store(path)
    try:
        return prove(engine, noted)
    finally:
        engine.dispose()


def test_an_untouched_journal_is_whole(path):
    proof = prove_file(path)
    assert (proof.problem, proof.head.seq) == (None, LAST)


def test_an_empty_journal_is_whole(tmp_path):
    assert prove_file(tmp_path / "new.db") == ((0, bytes(32)), None, None, None, 0)


@pytest.mark.parametrize(
    "column",
    ["entry = 1", "at_ms = 1", "stage = 'x'", "word = 'x'", "reason = 'x'", "detail = 'x'", "hash = x'00'"],
)
def test_a_changed_entry_is_named(path, column):
    tamper(path, f"UPDATE journal SET {column} WHERE seq = 8")
    proof = prove_file(path)
    assert (proof.broken_seq, proof.problem) == (8, "it is not what was written")


@pytest.mark.parametrize(
    ("statements", "seq", "problem"),
    [
        (["DELETE FROM journal WHERE seq = 1"], 1, "it is missing"),
        (["DELETE FROM journal WHERE seq = 7"], 7, "it is missing"),
        (["DELETE FROM journal WHERE seq = 9"], 9, "it is missing, with all rows up to 9"),
        (["DELETE FROM journal WHERE seq > 5"], 6, "it is missing, with all rows up to 9"),
        (["DELETE FROM journal"], 1, "it is missing, with all rows up to 9"),
        # Removed, and the rest renumbered.
        (["DELETE FROM journal WHERE seq = 7", "UPDATE journal SET seq = seq - 1 WHERE seq > 7"], 7,
         "it is not what was written"),
        (["UPDATE journal SET seq = 99 WHERE seq = 7", "UPDATE journal SET seq = 7 WHERE seq = 8",
          "UPDATE journal SET seq = 8 WHERE seq = 99"], 7, "it is not what was written"),
        (["UPDATE commands SET number = '0900'"], 4, "its command is not what was received"),
        (["DELETE FROM commands WHERE command_id = 's.1'"], 5, "its command is not what was received"),
        (["INSERT INTO commands SELECT (SELECT max(entry) + 1 FROM commands), tid, 'new', received_ms, extension, op, "
          "number, call FROM commands WHERE command_id = 's.1'"], 9, "there are 4 commands, but 3 were received"),
        (["DELETE FROM commands_by_extension",
          "UPDATE commands_indexed SET entry = (SELECT max(entry) FROM commands)"], 9,
         "there are commands that the index by extension does not have"),
        (["INSERT INTO journal SELECT 10, entry, at_ms, stage, word, reason, detail, hash FROM journal WHERE seq = 5"],
         10, "it is not what was written"),
    ],
)  # fmt: skip
def test_the_first_wrong_entry_is_named(path, statements, seq, problem):
    tamper(path, *statements)
    proof = prove_file(path)
    assert (proof.broken_seq, proof.problem) == (seq, problem)


def test_a_head_that_was_noted_elsewhere_shows_a_chain_that_was_forged_as_a_whole(path):
    noted = prove_file(path).head
    assert prove_file(path, noted).problem is None
    assert prove_file(path, Head(5, bytes(32))).broken_seq == 5
    assert prove_file(path, Head(LAST + 1, noted.hash)).broken_seq == LAST + 1


def test_a_name_that_is_no_utf_8_is_journalled_and_proved(path):
    engine = open_store(path)
    Directory(engine, "cli:\udcff").set_operation("phone-101", "attended", False)
    assert prove(engine).problem is None
    assert read_changes(engine, "phone-101", 1)[0].who == "cli:\udcff"
    engine.dispose()


def test_a_forged_chain_whose_lines_are_no_lines_is_named(path):
    engine = open_store(path)
    with engine.connect() as connection:
        before = connection.execute(sa.select(tables.journal).where(tables.journal.c.seq == 8)).one()
        row = connection.execute(sa.select(tables.journal).where(tables.journal.c.seq == 9)).one()
    engine.dispose()
    forged = Row(row.entry, row.at_ms, MANY, "command", None, "[1]")
    digest = hash_row(before.hash, 9, forged).hex()
    tamper(
        path,
        f"UPDATE journal SET stage = '{MANY}', word = 'command', detail = '[1]', hash = x'{digest}' WHERE seq = 9",
        f"UPDATE journal_head SET hash = x'{digest}'",
    )
    proof = prove_file(path)
    assert (proof.broken_seq, proof.problem) == (9, "its lines cannot be read")


def test_a_view_that_lies_to_people_is_named(path):
    lie_in_view(path)
    assert prove_file(path).problem == "the view 'lines' of the store's schema is not the one that this version makes"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DROP TRIGGER journal_no_update", "the trigger 'journal_no_update' is missing in the store's schema"),
        ("DROP TRIGGER commands_no_delete", "the trigger 'commands_no_delete' is missing in the store's schema"),
        ("CREATE TRIGGER own AFTER INSERT ON commands BEGIN UPDATE permissions SET blind = 1; END",
         "the trigger 'own' does not belong in the store's schema"),
        ("DROP INDEX ix_journal_changes", "the index 'ix_journal_changes' is missing in the store's schema"),
    ],
)  # fmt: skip
def test_a_schema_that_the_migrations_do_not_make_is_named(path, statement, problem):
    change_schema(path, statement)
    assert prove_file(path).problem == problem


def test_a_trigger_that_is_named_as_if_sqlite_had_made_it_is_named(path):
    hide_in_schema(path)
    assert prove_file(path).problem == "the trigger 'sqlite_own' does not belong in the store's schema"


def test_an_index_that_hides_a_change_from_the_list_is_named(path):
    leave_out_of_index(path)
    assert "row 3 missing from index ix_journal_changes" in prove_file(path).problem


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE journal SET entry = 0 WHERE seq = 3", 3),
        ("UPDATE journal SET reason = '' WHERE seq = 8", 8),
        ("UPDATE journal SET detail = '' WHERE seq = 8", 8),
    ],
)
def test_an_empty_value_in_the_place_of_none_is_named(path, statement, seq):
    harm(path, statement)
    proof = prove_file(path)
    assert (proof.broken_seq, proof.problem) == (seq, "it is not what was written")


def test_an_index_that_goes_beyond_its_end_and_so_could_not_be_continued_is_named(path):
    harm(path, "INSERT INTO commands_by_extension SELECT extension, received_ms, entry FROM commands")
    assert prove_file(path).problem == "the index by extension has what is no command"


@pytest.mark.parametrize("table", ["state", "journal_head", "commands_indexed", "journal_blotted"])
def test_a_table_of_one_row_that_has_none_is_named(path, table):
    harm(path, f"DELETE FROM {table}")
    assert prove_file(path).problem == f"the table {table} has 0 rows, and should have one"


@pytest.mark.parametrize(
    "change",
    ["tid = 'phone-102'", "command_id = 's.9'", "received_ms = received_ms + 3600000", "extension = '109'",
     "op = 'attended'", "number = '0900'", "call = 'c9'"],
)  # fmt: skip
def test_every_column_of_a_command_is_in_the_chain(path, change):
    harm(path, f"UPDATE commands SET {change} WHERE command_id = 's.1'")
    proof = prove_file(path)
    assert (proof.broken_seq, proof.problem) == (5, "its command is not what was received")


def test_an_index_that_shows_a_command_at_another_extension_is_named(path):
    harm(path, "INSERT INTO commands_by_extension SELECT '109', received_ms, entry FROM commands LIMIT 1")
    assert prove_file(path).problem == "the index by extension has what is no command"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE permissions SET classes = 'internal,external'", "the terminal 'phone-101' has other values than the "
         "entries have given it (classes)"),
        ("UPDATE permissions SET attended = 0, blind = 0", "the terminal 'phone-101' has other values than the entries "
         "have given it (attended, blind)"),
        ("UPDATE permissions SET allow_prefixes = '00'", "the terminal 'phone-101' has other values than the entries "
         "have given it (allow_prefixes)"),
        ("UPDATE terminals SET mac_key = x'00'", "the terminal 'phone-101' has other values than the entries have "
         "given it (secrets)"),
        ("UPDATE terminals SET revoked = 1", "the terminal 'phone-101' has other values than the entries have given it "
         "(revoked)"),
        ("UPDATE users SET multi_user_aware = 0", "the user 'tech1' has other values than the entries have given it "
         "(multi_user_aware)"),
        ("UPDATE extensions SET context = 'outside'", "the extension '101' has other values than the entries have "
         "given it (context)"),
        ("UPDATE state SET external_revoked = 1", "the site has other values than the entries have given it "
         "(external_revoked)"),
        ("INSERT INTO users VALUES ('eve', 1)", "the user 'eve' is there, and no entry has added it"),
        ("DELETE FROM permissions", "the terminal 'phone-101' has other values than the entries have given it "
         "(allow_prefixes, attended, blind, classes, deny_prefixes)"),
        ("DELETE FROM permissions; DELETE FROM terminals", "the terminal 'phone-101' is gone, and no entry has removed "
         "it"),
    ],
)  # fmt: skip
def test_a_right_that_was_given_or_taken_past_the_journal_is_named_and_no_later_change_hides_it(
    path, statement, problem
):
    harm(path, *statement.split("; "))
    assert prove_file(path).problem == problem
    engine = open_store(path)
    Directory(engine, "test").add_user("anna")
    Directory(engine, "test").note_settings("x")
    engine.dispose()
    assert prove_file(path).problem == problem


def test_all_changes_that_there_are_lead_to_what_the_tables_have(path):
    engine = open_store(path)
    directory = Directory(engine, "test")
    directory.add_user("anna")
    directory.add_extension("102", "anna", "dev-2", "sales", "queue")
    directory.change_extension("102", user="tech1", type="term")
    directory.add_terminal("phone-102", "102")
    directory.set_operation("phone-102", "blind", False)
    directory.set_classes("phone-102", ("internal", "national"))
    directory.set_prefixes("phone-102", ("030",), ("0309",))
    directory.rotate_terminal("phone-102")
    directory.set_multi_user_aware("anna", True)
    directory.set_external_revoked(True, "too many")
    directory.record_request("phone-102", "reboot")
    directory.note_settings("rules")
    directory.revoke_terminal("phone-102")
    directory.remove_terminal("phone-101")
    directory.add_terminal("phone-101", "101")
    directory.remove_user("anna")
    directory.set_external_revoked(False, "it is over")
    assert prove(engine).problem is None
    directory.remove_user("tech1")
    assert prove(engine).problem is None
    engine.dispose()


def test_a_store_of_an_early_version_says_that_rights_are_not_compared_until_it_is_changed(tmp_path):
    path = tmp_path / "old.db"
    make_old_store(path, known_schemas()[-1])

    def run(*arguments):
        return CliRunner().invoke(journal_app, [*arguments, "--set", f"store.path={path}"]).output

    assert "do not tell all rights" in run("verify")
    engine = open_store(path)
    Directory(engine, "bridge").note_whole()
    Directory(engine, "bridge").note_whole()
    engine.dispose()
    assert "do not tell all rights" not in run("verify")
    assert run("changes").count("all that an early version has recorded in part") == 1
    harm(path, "UPDATE permissions SET attended = 1")
    assert "the terminal 'phone-101' has other values than the entries have given it (attended)" in run("verify")


def test_a_cut_end_is_seen_only_with_a_head_that_was_kept_elsewhere(path):
    def run(*words):
        return ask_journal(path, *words)

    _, head = run("head")
    assert head == prove_file(path).head.write()
    assert run("verify", "--since", head)[0] == 0
    harm(
        path, "DELETE FROM journal WHERE seq = 9",
        "UPDATE journal_head SET seq = 8, hash = (SELECT hash FROM journal WHERE seq = 8)",
    )  # fmt: skip
    assert run("verify")[0] == 0
    assert run("verify", "--since", head) == (
        1, "The journal is broken at entry 9: it is missing, with all rows up to 9."
    )  # fmt: skip


async def test_the_head_is_logged_again_whenever_it_is_another_one(path, make, capfd):
    set_up_logs("json", "info")
    engine = open_store(path)
    logged = []

    def heads():
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        logged.extend(line["head"] for line in lines if line["event"] == "journal-head")
        return logged

    task = asyncio.create_task(keep_noting(engine, 0.01))
    first = prove(engine).head.write()
    await make.until(lambda: heads() == [first])
    Directory(engine, "test").add_user("anna")
    await make.until(lambda: heads() == [first, prove(engine).head.write()])
    task.cancel()
    await asyncio.wait([task])
    engine.dispose()


async def test_the_chain_holds_when_command_line_and_bridge_write_at_the_same_time(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    for number in range(8):
        scene.directory.set_operation("phone-101", "attended", bool(number % 2))
        assert await terminal.ask("blind", "102") == ("accepted", None)
        scene.pbx.listener.on_progress("c1", "done", None)
    await make.until(lambda: count_lines(scene.engine) > 8 * 3)  # what became of a command is written after its end
    assert prove(scene.engine).problem is None


def count_lines(engine):
    """Return how many changes and lines of commands the journal has; lines that were written together are one row."""
    _, entries, changes = read_news(engine, 0, 1000)
    return len(changes) + sum(len(timeline.lines) for timeline in read_timelines(engine, entries))


def test_the_command_line_proves_and_names_what_is_broken(path):
    def run(*arguments):
        result = CliRunner().invoke(journal_app, ["verify", "--set", f"store.path={path}", *arguments])
        return result.exit_code, result.output.strip()

    exit_code, said = run()
    assert (exit_code, said.splitlines()[0].startswith("The journal is whole: 9 entries.")) == (0, True)
    assert run("--noted", said.splitlines()[1])[0] == 0
    assert run("--noted", "9:abc") == (1, "A noted head is SEQ:HASH, as `phoneterm journal verify` prints it.")
    tamper(path, "UPDATE journal SET at_ms = 1780000000000, word = 'x' WHERE seq = 9")
    exit_code, said = run()
    assert exit_code == 1
    assert said.startswith("The journal is broken at entry 9 of 2026-05-2")
    assert said.endswith(": it is not what was written.")
