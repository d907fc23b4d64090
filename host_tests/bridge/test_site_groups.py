"""Site groups on the command line and in the CSV file: names of places, journalled; what phones may stays the same."""

import json

import pytest
from phoneterm.core import messages
from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.accounts import Accounts
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.directory_proof import find_untold
from phoneterm_bridge.store.journal_reading import read_changes
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

PLACE = "Berlin, 2nd floor"


@pytest.fixture
def phoneterm(tmp_path, monkeypatch):
    """Run a command in a folder with three terminals; return what it printed, and assert its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*words, exit_code=0):
        result = CliRunner().invoke(make_app((words[0],)), words)
        assert result.exit_code == exit_code, result.output
        return result.output

    run("user", "add", "anna", "--extension", "101", "--extension", "102", "--extension", "103", "--aware")
    for number in ("101", "102", "103"):
        run("terminal", "add", "--extension", number, "-o", f"{number}.json", "--here")
    return run


def groups_in(tmp_path):
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    found = reading.read_snapshot(engine).groups
    with engine.connect() as connection:
        assert find_untold(connection) is None
    engine.dispose()
    return found


def test_terminals_are_put_into_a_group_and_out_of_it(phoneterm, tmp_path):
    said = phoneterm("terminal", "group", PLACE, "phone-101", "phone-102")
    assert said == f"2 terminals: each belongs to the site group {PLACE}. {PLACE} is a new group.\n"
    assert phoneterm("terminal", "groups") == f"{PLACE:40} 2 terminals\n"
    assert [one["group"] for one in json.loads(phoneterm("terminal", "list", "--json"))] == [PLACE, PLACE, ""]
    assert phoneterm("terminal", "list", "--group", PLACE).count(f"[{PLACE}]") == 2
    assert f"site group        {PLACE}\n" in phoneterm("terminal", "show", "phone-101")
    said = phoneterm("terminal", "group", "none", "phone-101", "phone-103")
    assert said.endswith("Not affected: phone-103: it is in no group anyway.\n")
    assert groups_in(tmp_path) == {"phone-102": PLACE}
    changes = json.loads(phoneterm("journal", "changes", "phone-101", "--json"))
    assert [one["what"] for one in changes[:2]] == ["site group none", f"site group {PLACE}"]
    phoneterm("terminal", "remove", "phone-102", "--yes")
    assert groups_in(tmp_path) == {}
    enrol = ("terminal", "add", "--extension", "102", "-o", "again.json", "--here", "--group")
    phoneterm(*enrol, "=cmd()", exit_code=1)
    assert not (tmp_path / "again.json").exists()
    phoneterm(*enrol, "Hamburg")
    assert groups_in(tmp_path) == {"phone-102": "Hamburg"}


@pytest.mark.parametrize(
    "name", ["=cmd()", "-1", "a\tb\x07", "\u202eB", "x" * 65, "B\x00", "\u200b", "@sum", "B\ud800n"]
)
def test_a_name_that_nobody_could_read_or_a_spreadsheet_would_calculate_is_refused(phoneterm, tmp_path, name):
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    with pytest.raises(Exception, match="A site group's name has 1 to 64"):
        Directory(engine, "test").set_group("phone-101", name)
    engine.dispose()
    assert groups_in(tmp_path) == {}


def test_one_place_has_one_name_however_its_letters_are_written(phoneterm, tmp_path):
    phoneterm("terminal", "group", "Mu\u0308nchen   Ost", "phone-101")
    assert "is in München Ost already" in phoneterm("terminal", "group", "München Ost", "phone-101", exit_code=1)
    assert groups_in(tmp_path) == {"phone-101": "München Ost"}


def test_a_group_that_was_given_past_the_journal_is_named(phoneterm, tmp_path):
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE terminals SET site_group = 'Elsewhere' WHERE tid = 'phone-101'")
    engine.dispose()
    said = phoneterm("journal", "verify", exit_code=1)
    assert "the site group of 'phone-101' is there, and no entry has added it" in said


def test_the_csv_file_has_the_group_and_files_without_it_go_on_working(phoneterm, tmp_path):
    (tmp_path / "old.csv").write_text("user,extension,terminal\nanna,101,phone-101\n")
    assert phoneterm("user", "import", "old.csv") == "Done: nothing, all is there already.\n"
    (tmp_path / "new.csv").write_text(
        f'user,extension,terminal,group\nanna,101,phone-101,"{PLACE}"\nanna,102,phone-102,Hamburg\nanna,103,phone-103,\n'
    )
    assert phoneterm("user", "import", "new.csv") == "Done: 2 site groups set.\n"
    assert groups_in(tmp_path) == {"phone-101": PLACE, "phone-102": "Hamburg"}
    exported = phoneterm("user", "export")
    (tmp_path / "out.csv").write_text(exported)
    assert phoneterm("user", "import", "out.csv") == "Done: nothing, all is there already.\n"
    (tmp_path / "less.csv").write_text("user,extension,terminal,group\nanna,101,phone-101,none\n")
    assert phoneterm("user", "import", "less.csv") == "Done: 1 site groups set.\n"
    assert groups_in(tmp_path) == {"phone-102": "Hamburg"}
    (tmp_path / "evil.csv").write_text("user,extension,terminal,group\nanna,101,phone-101,=cmd()\nanna,,,Berlin\n")
    said = phoneterm("user", "import", "evil.csv", exit_code=1)
    assert "Line 2, column group: a site group's name has" in said
    assert "Line 3, column group: the line has no terminal that this could belong to." in said


async def test_a_phone_hears_nothing_of_the_group_that_it_is_in(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    before = len(terminal.heard(messages.PERMISSIONS))
    scene.directory.set_group("phone-101", PLACE)
    scene.directory.set_operation("phone-101", "blind", False)
    await make.until(lambda: terminal.heard(messages.PERMISSIONS)[-1]["blind"] is False)
    assert scene.bridge.parts.directory.snapshot.groups == {"phone-101": PLACE}
    scene.directory.set_group("phone-101", "Hamburg")
    await make.until(lambda: scene.bridge.parts.directory.snapshot.groups == {"phone-101": "Hamburg"})
    assert len(terminal.heard(messages.PERMISSIONS)) == before + 1
    assert read_changes(scene.engine, "phone-101", 1)[0].what == "site group Hamburg"


async def test_a_group_or_an_account_of_the_users_name_is_not_said_to_be_why_a_transfer_was_refused(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.directory.set_classes("phone-101", ("internal",))
    scene.directory.set_group("phone-101", PLACE)
    Accounts(scene.engine, "test").add_account("tech1", "viewer", "correct horse")
    await scene.bridge.refresh()
    assert (await terminal.ask("blind", "0301234567"))[0] == "rejected"
    assert "The last change: phone-101, classes internal, " in answer_why(scene.engine, "101", None)["sentence"]
