"""`phoneterm console account` and `token`: journalled like all changes, no secret on a command line or in a list."""

import json
import sqlite3

import pytest
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

PASSWORD = "correct horse"


@pytest.fixture
def phoneterm(tmp_path, monkeypatch):
    """Run a command in an empty folder; return what it printed, and assert its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*words, exit_code=0, said=None):
        result = CliRunner().invoke(make_app((words[0],)), words, input=said)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


def store_of(tmp_path):
    return sqlite3.connect(tmp_path / "state" / "phoneterm.db")


def test_an_account_is_added_changed_and_removed_and_the_journal_names_who_did_it(phoneterm):
    assert phoneterm("console", "account", "add", "anna", "--role", "admin", said=f"{PASSWORD}\n") == (
        "The account anna is added: admin.\n"
    )
    phoneterm("console", "account", "add", "otto", "--role", "viewer", said=f"{PASSWORD}\n")
    assert (
        phoneterm("console", "account", "role", "otto", "--role", "operator") == "The account otto is operator now.\n"
    )
    phoneterm("console", "account", "password", "otto", said="another horse\n")
    listed = json.loads(phoneterm("console", "account", "list", "--json"))
    assert [(one["name"], one["role"]) for one in listed] == [("anna", "admin"), ("otto", "operator")]
    phoneterm("console", "account", "remove", "otto", "--yes")
    changes = json.loads(phoneterm("journal", "changes", "otto", "--json"))
    assert [one["what"] for one in changes] == [
        "account of the console removed",
        "account of the console has a new password",
        "account of the console is operator now",
        "account of the console added, viewer",
    ]
    assert all(one["who"].startswith("cli:") for one in changes)
    assert "The journal is whole" in phoneterm("journal", "verify")


@pytest.mark.parametrize(
    ("name", "role", "password", "sentence"),
    [
        ("an na", "admin", PASSWORD, "The account's name has 1 to 64 letters"),
        ("anna", "king", PASSWORD, "A role is viewer, operator or admin."),
        ("anna", "admin", "short", "A password has 10 to 200 printable characters."),
        ("anna", "admin", "x" * 201, "A password has 10 to 200 printable characters."),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_added(phoneterm, name, role, password, sentence):
    said = phoneterm("console", "account", "add", name, "--role", role, said=f"{password}\n", exit_code=1)
    assert sentence in said
    assert phoneterm("console", "account", "list") == ""


def test_the_last_administrator_stays_one(phoneterm):
    phoneterm("console", "account", "add", "anna", "--role", "admin", said=f"{PASSWORD}\n")
    phoneterm("console", "account", "add", "otto", "--role", "viewer", said=f"{PASSWORD}\n")
    for words in (("role", "anna", "--role", "viewer"), ("remove", "anna", "--yes")):
        said = phoneterm("console", "account", *words, exit_code=1)
        assert "Nobody could administer the console then" in said
    phoneterm("console", "account", "remove", "otto", "--yes")
    phoneterm("console", "account", "remove", "anna", "--yes")  # then there is nobody to be shut out


def test_a_token_is_shown_once_and_kept_as_its_hash(phoneterm, tmp_path):
    token = phoneterm("console", "token", "add", "ticker", "--role", "viewer").splitlines()[0]
    assert token not in phoneterm("console", "token", "list")
    with store_of(tmp_path) as store:
        kept = [str(row) for table in ("tokens", "journal") for row in store.execute(f"SELECT * FROM {table}")]
    assert not any(token in row for row in kept)
    assert "is removed" in phoneterm("console", "token", "remove", "ticker", "--yes")


def test_an_account_or_a_role_that_was_given_past_the_journal_is_named(phoneterm, tmp_path):
    phoneterm("console", "account", "add", "anna", "--role", "admin", said=f"{PASSWORD}\n")
    phoneterm("console", "account", "add", "otto", "--role", "viewer", said=f"{PASSWORD}\n")
    with store_of(tmp_path) as store:
        store.execute("UPDATE accounts SET role = 'admin' WHERE name = 'otto'")
    assert "the account 'otto' has other values than the entries have given it (role)" in phoneterm(
        "journal", "verify", exit_code=1
    )
    with store_of(tmp_path) as store:
        store.execute("UPDATE accounts SET role = 'viewer' WHERE name = 'otto'")
        store.execute("INSERT INTO accounts VALUES ('eve', 'admin', 'x', 0)")
    assert "the account 'eve' is there, and no entry has added it" in phoneterm("journal", "verify", exit_code=1)
