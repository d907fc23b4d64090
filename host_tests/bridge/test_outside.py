"""Text from outside in the store, the environment and the log: it forges no line, and steers no terminal window."""

import asyncio
import csv
import io
import os
import pwd
import sqlite3

import pytest
import structlog
from phoneterm_bridge.cli.options import name_place, name_user
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.reading import read_snapshot
from phoneterm_bridge.wording.logs import set_up_logs
from phoneterm_bridge.wording.outside import show, show_lines

HOSTILE = "x\n2026-03-01 14:05:12 UTC  101: user added\x1b[2J\r\x9b31m\u202e\u2028\x00\udcff"
ME = pwd.getpwuid(os.getuid()).pw_name


async def journal_command(engine):
    journal = Journal(engine)
    await journal.start()
    terminal = read_snapshot(engine).terminals["phone-101"]
    fields = {"id": "s.1", "op": "blind", "number": HOSTILE[:-2], "call": None}
    refused = [Event("check", "refused", "permission"), Event("result", "rejected", "permission")]
    await journal.open(terminal, fields, refused)
    await journal.stop()


@pytest.fixture
def hostile_store(tmp_path):
    """A store in which every text that a list shows is hostile, as somebody with access to the file can make it."""
    path = tmp_path / "state" / "phoneterm.db"
    engine = open_store(path)
    directory = Directory(engine, f"cli:{HOSTILE}"[:60], HOSTILE[:60])
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    directory.add_terminal("phone-101", "101")
    directory.note_settings(HOSTILE)
    directory.set_operation("phone-101", "blind", False)
    asyncio.run(journal_command(engine))
    engine.dispose()
    raw = sqlite3.connect(path)
    text = HOSTILE[:-2]  # without what is no UTF-8 and what ends a text of SQLite's shell
    raw.execute("UPDATE users SET name = ?", (text,))
    raw.execute("UPDATE extensions SET user = ?, endpoint = ?, context = ?", (text,) * 3)
    raw.execute("UPDATE permissions SET classes = ?, deny_prefixes = ?", (text,) * 2)
    raw.execute("INSERT INTO sightings VALUES ('phone-101', 1, 1, ?, ?, ?, ?, -60, 0)", (text,) * 4)
    raw.execute("INSERT INTO troubles VALUES ('phone-101', 'config', 1, ?)", (text,))
    raw.commit()
    raw.close()
    return path


LISTS = [
    ("journal", "changes"), ("journal", "commands"), ("user", "list"), ("user", "export"), ("terminal", "list"),
    ("terminal", "show", "phone-101"), ("policy", "show"), ("why", "101"), ("doctor",), ("journal", "verify"),
]  # fmt: skip


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_no_list_shows_what_is_not_printable(hostile_store, phoneterm, words):
    code = 1 if words in [("doctor",), ("journal", "verify")] else 0
    said = phoneterm(*words, "--set", f"store.path={hostile_store}", exit_code=code)
    assert [line for line in said.replace("\r\n", "\n").split("\n") if not line.isprintable()] == []
    assert not [line for line in said.split("\n") if line.startswith("2026-03-01 14:05:12 UTC  101: user added")]


def test_what_is_exported_is_one_line_for_each_terminal(hostile_store, phoneterm):
    rows = list(csv.DictReader(io.StringIO(phoneterm("user", "export", "--set", f"store.path={hostile_store}"))))
    assert [row["user"] for row in rows] == [show(HOSTILE[:-2])]


def test_the_files_of_a_hostile_store_are_shown_as_json_in_ascii(hostile_store, phoneterm):
    for words in (("journal", "changes"), ("journal", "commands"), ("user", "list"), ("terminal", "list")):
        said = phoneterm(*words, "--json", "--set", f"store.path={hostile_store}")
        assert said.isascii()
        assert [line for line in said.split("\n") if not line.isprintable()] == []


def test_the_log_for_people_shows_it_escaped(capfd):
    set_up_logs("console", "info")
    structlog.get_logger().info("refused", tid="a\x1b[2Jb", why=HOSTILE[:-1])
    structlog.get_logger().info(HOSTILE[:-1])
    lines = capfd.readouterr().err.split("\n")
    assert (len(lines), [line for line in lines if not line.isprintable()]) == (3, [])


def test_one_function_escapes_whatever_is_not_printable_and_leaves_the_rest():
    assert show("größe #1 'a\\b'") == "größe #1 'a\\b'"
    assert show(HOSTILE) == (
        r"x\n2026-03-01 14:05:12 UTC  101: user added\x1b[2J\r\x9b31m\u202e\u2028\x00\udcff"
    )  # fmt: skip
    assert show_lines("one\x1b\ntwo") == "one\\x1b\ntwo"


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_no_variable_says_who_did_it(monkeypatch, phoneterm, variable):
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setenv(variable, HOSTILE[:-2])
    assert name_user() == ME
    phoneterm("user", "add", "tech1", "--set", "store.path=bridge.db")
    assert f"(cli:{ME}; host " in phoneterm("journal", "changes", "--set", "store.path=bridge.db")


def test_whom_sudo_names_is_named_as_such_and_only_if_it_is_a_number(monkeypatch):
    monkeypatch.setenv("SUDO_UID", "4294967000")
    assert name_user() == f"{ME}, SUDO_UID uid 4294967000"
    monkeypatch.setenv("SUDO_UID", "0")
    assert name_user() == f"{ME}, SUDO_UID root"
    for wrong in ("root", "-1", "1\n2", "", "9" * 40, "٣"):
        monkeypatch.setenv("SUDO_UID", wrong)
        assert name_user() == ME


def test_from_where_is_an_address_or_is_not_said(monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
    assert name_place().endswith(", from 192.0.2.7")
    monkeypatch.setenv("SSH_CONNECTION", "anna\n2026-03-01 50000 192.0.2.1 22")
    assert "anna" not in name_place()
