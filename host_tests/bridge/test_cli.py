"""The administrator's commands: enrol, show, allow, revoke; secrets are shown once, mistakes are one sentence."""

import json
import os
import pwd
import stat
import time
from pathlib import Path

import pytest
from bridge.other_user import folder_for_others, run_as_other
from phoneterm_bridge.cli import bridge_app, journal_app, policy_app, terminal_app, user_app
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store import passwords, reading
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.troubles import Trouble, replace_all
from typer.testing import CliRunner


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run one command in an empty folder; returns what it printed, and asserts its exit code."""
    monkeypatch.chdir(tmp_path)
    apps = {"bridge": bridge_app, "terminal": terminal_app, "user": user_app, "policy": policy_app}
    apps["journal"] = journal_app

    def run_command(app, *arguments, exit_code=0):
        result = CliRunner().invoke(apps[app], arguments)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run_command


@pytest.fixture
def enrolled(run):
    """The settings of phone-101 of tech1, just enrolled."""
    run("user", "add", "tech1", "--extension", "101")
    return json.loads(run("terminal", "add", "--extension", "101", "--output", "-", "--here"))


def record(tid="phone-101"):
    engine = open_store(load_settings().store.path)
    try:
        return reading.read_snapshot(engine).terminals[tid]
    finally:
        engine.dispose()


def test_enrolling_gives_the_settings_a_terminal_needs(enrolled):
    secrets = {"mqtt_password": enrolled.pop("mqtt_password"), "mac_key": enrolled.pop("mac_key")}
    assert enrolled == {
        "version": 1, "extension": "101", "tid": "phone-101", "base": "phoneterm", "mqtt_host": "127.0.0.1",
        "mqtt_port": "1883", "tls": "off",
    }  # fmt: skip
    assert bytes.fromhex(secrets["mac_key"]) == record().key
    assert passwords.is_password(record().password_hash, secrets["mqtt_password"])


def test_the_settings_can_go_to_a_private_file_that_must_be_new(run, tmp_path):
    run("user", "add", "tech1", "--extension", "101")
    printed = run("terminal", "add", "--extension", "101", "-o", "phone.json", "--here")
    settings = json.loads((tmp_path / "phone.json").read_text())
    assert settings["tid"] == "phone-101"
    assert settings["mqtt_password"] not in printed
    assert stat.S_IMODE((tmp_path / "phone.json").stat().st_mode) == 0o600
    printed = run("terminal", "add", "--extension", "101", "--tid", "second", "-o", "phone.json", exit_code=1)
    assert printed == "The file phone.json exists already; --output names a new one.\n"
    assert "second" not in run("terminal", "list")


def test_a_folder_for_the_settings_has_a_slash_at_its_end_and_is_made(run, tmp_path):
    run("user", "add", "tech1", "--extension", "101")
    run("terminal", "add", "--extension", "101", "--output", "new/settings/", "--here")
    assert (tmp_path / "new" / "settings" / "phone-101.json").is_file()
    (tmp_path / "new" / "settings" / "phone-101.json").unlink()
    run("terminal", "rotate", "phone-101", "--output", "new/settings", "--here")
    assert (tmp_path / "new" / "settings" / "phone-101.json").is_file()
    said = run("terminal", "add", "--extension", "101", "--output", "/dev/null/in/", "--here", exit_code=1)
    assert said == "The folder /dev/null/in cannot be made: Not a directory.\n"


def test_a_folder_for_the_settings_that_nobody_may_enter_is_one_sentence():
    with folder_for_others() as folder:
        (folder / "closed").mkdir(mode=0)
        imports = "import sys\nfrom phoneterm_bridge.cli import terminal_app, user_app"
        code = (
            "user_app(['add', 'anna', '--extension', '101', '--set=store.path=s.db'], standalone_mode=False)\n"
            "terminal_app(['add', '--extension', '101', '--here', '--output', 'closed/new.json', "
            "'--set=store.path=s.db'])"
        )
        printed = run_as_other(imports, code, folder)
    refused = "The file closed/new.json cannot be written (Permission denied); --output names another.\n"
    assert printed.splitlines(keepends=True)[-1] == refused


def test_secrets_go_to_a_private_file_unless_somebody_asks_to_see_them(run, tmp_path):
    run("user", "add", "tech1", "--extension", "101")
    for command in (("add", "--extension", "101", "--here"), ("rotate", "phone-101", "--here")):
        printed = run("terminal", *command)
        settings = json.loads((tmp_path / "phone-101.json").read_text())
        assert settings["mqtt_password"] not in printed
        assert settings["mac_key"] not in printed
        assert stat.S_IMODE((tmp_path / "phone-101.json").stat().st_mode) == 0o600
        (tmp_path / "phone-101.json").unlink()


def test_a_terminal_whose_settings_cannot_be_written_is_not_enrolled(run, tmp_path):
    run("user", "add", "tech1", "--extension", "101")
    said = run("terminal", "add", "--extension", "101", "--output", "no/phone.json", "--here", exit_code=1)
    assert said == "The file no/phone.json cannot be written (No such file or directory); --output names another.\n"
    assert run("terminal", "list") == ""


def test_a_user_is_allowed_and_denied(run, enrolled):
    for command, is_allowed in (("allow", True), ("deny", False)):
        run("user", command, "tech1")
        assert record().may_transfer is is_allowed
    assert run("user", "list").split() == ["tech1", "-", "101"]


def test_what_a_terminal_may_is_changed_and_shown(run, enrolled):
    run("user", "allow", "tech1")
    run("terminal", "deny", "phone-101", "--op", "blind")
    run("terminal", "grant", "phone-101", "--classes", "internal, national")
    assert "attended to internal, national" in run("terminal", "show", "phone-101")
    run("terminal", "grant", "phone-101", "--op", "blind")
    assert record().allows_blind
    assert enrolled["mqtt_password"] not in run("terminal", "show", "phone-101")


def test_where_an_extension_is_at_the_pbx_can_be_changed(run, enrolled):
    run("user", "change", "101", "--context", "sales", "--endpoint", "dev-1")
    assert "endpoint dev-1, context sales" in run("terminal", "show", "phone-101")
    run("user", "change", "101", "--type", "queue")
    assert (record().extension_type, record().endpoint) == ("queue", "dev-1")
    assert "101: context sales" in run("journal", "changes", "101") or "101: endpoint dev-1" in run(
        "journal", "changes"
    )


def test_a_terminals_numbers_and_a_site_without_an_outside_are_shown(run, enrolled):
    assert "allowed none; denied none" in run("terminal", "show", "phone-101")
    run("policy", "numbers", "phone-101", "--allow", "030,0171", "--deny", "0309")
    run("policy", "revoke")
    shown = run("terminal", "show", "phone-101")
    assert "numbers           allowed 030, 0171; denied 0309" in shown
    assert "REVOKED for all terminals" in shown


def test_changes_are_listed_with_who_what_when_and_from_where(run, enrolled, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
    monkeypatch.setenv("LOGNAME", "bert")  # which anybody can set
    who = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    monkeypatch.delenv("SUDO_UID", raising=False)
    run("user", "allow", "tech1")
    run("terminal", "deny", "phone-101", "--op", "blind")
    newest, second, *_ = run("journal", "changes").splitlines()
    assert f"phone-101: blind False  ({who}; host " in newest and newest.endswith(", from 192.0.2.7)")
    assert "tech1: multi user aware True" in second
    (only,) = json.loads(run("journal", "changes", "phone-101", "--most", "1", "--json"))
    assert (only["subject"], only["what"], only["who"]) == ("phone-101", "blind False", who)
    assert abs(only["at_ms"] / 1000 - time.time()) < 60
    assert run("journal", "changes", "nobody") == ""


def test_what_is_wrong_with_a_terminal_is_listed_below_it(run, enrolled):
    engine = open_store(load_settings().store.path)
    replace_all(engine, [Trouble("phone-101", "config", 1, "the memory is too short to read it")])
    engine.dispose()
    sentence = "The terminal phone-101 has not taken its configuration: the memory is too short to read it."
    assert run("terminal", "list").splitlines()[1].strip() == sentence
    assert f"trouble           {sentence}" in run("terminal", "show", "phone-101")


def test_a_revoked_terminal_is_listed_as_revoked(run, enrolled):
    run("terminal", "revoke", "phone-101", "--yes")
    assert run("terminal", "list").split()[-1] == "revoked"


def test_an_extension_of_another_type_is_shown_as_no_phone_terminal(run):
    run("user", "add", "tech1", "--aware")
    run("user", "extension", "tech1", "200", "--endpoint", "queue-1", "--context", "sales", "--type", "queue")
    run("terminal", "add", "--extension", "200", "--tid", "q", "--here")
    shown = run("terminal", "show", "q")
    assert "endpoint queue-1, context sales" in shown
    assert "nothing: extension is no phone terminal" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("user", "allow", "nobody"), "There is no user 'nobody'."),
        (("terminal", "add", "--extension", "101", "--here"), "There is no extension '101'."),
        (("terminal", "grant", "phone"), "Say what to grant: --op blind, --op attended or --classes NAMES."),
        (("terminal", "deny", "phone"), "Say what to deny: --op blind or --op attended."),
        (("user", "change", "101"), "Say what to change: --user, --endpoint, --context or --type."),
        (("user", "change", "101", "--context", "sales"), "There is no extension '101'."),
        (("terminal", "list", "--set", "stor.path=x"), "The settings have no key stor; did you mean store?"),
        (("bridge", "init", "no/folder.toml"), "The file no/folder.toml cannot be written: No such file or directory."),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_1(run, arguments, sentence):
    assert run(*arguments, exit_code=1).strip() == sentence


def test_a_terminal_or_a_store_that_is_not_there_is_one_sentence(run, tmp_path):
    said = run("terminal", "show", "phone", exit_code=1)
    assert said.startswith("There is no store state/phoneterm.db yet: `phoneterm user add`")
    assert list(tmp_path.iterdir()) == []
    run("user", "add", "tech1")
    assert run("terminal", "show", "phone", exit_code=1) == "There is no terminal 'phone'.\n"


def test_init_writes_a_file_that_can_be_used_and_never_overwrites(run, tmp_path):
    run("bridge", "init", "bridge.toml")
    assert load_settings(Path("bridge.toml")) == load_settings()
    assert stat.S_IMODE((tmp_path / "bridge.toml").stat().st_mode) == 0o600
    assert "File exists" in run("bridge", "init", "bridge.toml", exit_code=1)


def test_new_secrets_for_a_terminal_are_shown_once_and_the_old_ones_are_gone(run, enrolled):
    fresh = json.loads(run("terminal", "rotate", "phone-101", "-o", "-", "--here"))
    assert fresh["tid"] == "phone-101"
    assert bytes.fromhex(fresh["mac_key"]) == record().key
    assert passwords.is_password(record().password_hash, fresh["mqtt_password"])
    assert not passwords.is_password(record().password_hash, enrolled["mqtt_password"])
    assert run("terminal", "rotate", "nobody", exit_code=1) == "There is no terminal 'nobody'.\n"


@pytest.mark.parametrize("psk_port", ["0", "8884"])
def test_with_a_mosquitto_new_secrets_come_with_the_word_that_it_must_learn_them(run, enrolled, psk_port):
    """Without new files mosquitto keeps accepting the old password and the old shared key."""
    run("user", "add", "tech2", "--extension", "102")
    mosquitto = ("--set", "broker.embedded=false", "--set", f"broker.psk_port={psk_port}")
    for command in (("rotate", "phone-101"), ("add", "--extension", "102")):
        printed = run("terminal", *command, "--output", f"{command[0]}.json", "--here", *mosquitto)
        assert "write its files anew (`phoneterm broker config FOLDER`), then reload it" in printed
