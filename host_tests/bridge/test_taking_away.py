"""Users, extensions and terminals are taken away: what goes with them is said and asked first, and nothing stays."""

import pytest
from phoneterm.core import messages
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.backup import create_backup, restore_backup
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.requests import ask
from phoneterm_bridge.store.troubles import Trouble, replace_all

_SECRETS = "whose secrets are worthless then"


def record(tid="phone-101"):
    engine = open_store(load_settings().store.path)
    try:
        return reading.read_snapshot(engine).terminals[tid]
    finally:
        engine.dispose()


@pytest.fixture
def site(phoneterm):
    """Two users: tech1 with extensions 101, 102 and the terminals phone-101 and spare, tech2 with 103."""
    phoneterm("user", "add", "tech1", "--extension", "101", "--extension", "102", "--aware")
    phoneterm("user", "add", "tech2", "--extension", "103")
    phoneterm("terminal", "add", "--extension", "101", "--here")
    phoneterm("terminal", "add", "--extension", "101", "--tid", "spare", "--here")
    engine = open_store(load_settings().store.path)
    replace_all(engine, [Trouble("phone-101", "config", 1, "")])
    ask(engine, "phone-101", "identify", "cli:anna", "")
    engine.dispose()
    return phoneterm


@pytest.mark.parametrize(
    ("command", "taken"),
    [
        (("user", "remove", "tech1"), "The user tech1 is removed, with extensions 101, 102 and terminals"),
        (("user", "remove-extension", "101"), "The extension 101 is removed, with terminals"),
    ],
)
def test_what_is_taken_along_is_said_and_asked_and_then_printed(site, command, taken):
    before = site("user", "list"), site("terminal", "list")
    said = site(*command, exit_code=1)
    assert said.startswith(f"{taken} phone-101, spare, {_SECRETS}.\nRemove {command[-1]}? [y/N]: ")
    assert said.endswith("Nothing was changed; --yes does it without asking.\n")
    assert (site("user", "list"), site("terminal", "list")) == before
    assert site(*command, "--yes") == f"{taken} phone-101, spare, {_SECRETS}.\n"
    assert site("terminal", "list") == ""
    assert command[-1] not in site("user", "list").split()
    assert "103" in site("user", "list")


@pytest.mark.parametrize(
    ("word", "warning", "done"),
    [
        (
            "remove",
            "phone-101 at extension 101 is removed with its permissions, and its secrets are worthless then.",
            "phone-101 at extension 101 is removed, with its permissions.\n",
        ),
        (
            "revoke",
            "phone-101 at extension 101 is revoked for good: nothing gives it its rights back.",
            "phone-101 at extension 101 is revoked for good: its secrets are worthless.\n",
        ),
    ],
)
def test_a_terminal_is_taken_away_only_when_somebody_agrees(site, word, warning, done):
    before = site("terminal", "list")
    assert site("terminal", word, "phone-101", exit_code=1).startswith(warning)
    assert site("terminal", "list") == before
    assert site("terminal", word, "phone-101", "--yes") == done
    assert "spare" in site("terminal", "list")


def test_a_removed_id_can_be_enrolled_again_and_the_journal_keeps_everything(site, tmp_path):
    site("terminal", "remove", "phone-101", "--yes")
    (tmp_path / "phone-101.json").unlink()
    site("terminal", "add", "--extension", "102", "--tid", "phone-101", "--here")
    assert record().extension == "102"
    changes = site("journal", "changes", "phone-101")
    assert "terminal removed" in changes
    assert changes.count("terminal added at extension") == 2
    engine = open_store(load_settings().store.path)
    assert prove(engine).problem is None
    engine.dispose()


def test_an_extension_moves_to_another_user_with_its_terminals(site):
    assert site("user", "change", "101", "--user", "tech2") == "The extension 101 is changed: user tech2.\n"
    assert (record().user, record().may_transfer) == ("tech2", False)
    assert site("user", "list").splitlines()[1].split() == ["tech2", "-", "101", "103"]
    assert site("user", "change", "101", "--user", "nobody", exit_code=1) == "There is no user 'nobody'.\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("user", "remove", "nobody"), "There is no user 'nobody'."),
        (("user", "remove-extension", "999"), "There is no extension '999'."),
        (("terminal", "remove", "nobody"), "There is no terminal 'nobody'."),
        (("terminal", "revoke", "nobody"), "There is no terminal 'nobody'."),
    ],
)
def test_what_is_not_there_cannot_be_taken_away(site, command, sentence):
    assert site(*command, exit_code=1).strip() == sentence


def test_a_second_revoke_says_so_and_names_the_way_out(site):
    site("terminal", "revoke", "phone-101", "--yes")
    said = site("terminal", "revoke", "phone-101", "--yes", exit_code=1)
    assert said == ("The terminal 'phone-101' is revoked already; `phoneterm terminal remove phone-101` removes it.\n")


def test_a_revoked_terminal_is_granted_nothing(site):
    site("terminal", "revoke", "phone-101", "--yes")
    said = site("terminal", "grant", "phone-101", "--op", "blind", exit_code=1)
    assert said == "The terminal 'phone-101' was revoked for good: enrol another one.\n"


def test_with_a_mosquitto_it_is_said_what_that_must_learn(site):
    mosquitto = ("--set", "broker.embedded=false", "--yes")
    for command in (("terminal", "revoke", "spare"), ("terminal", "remove", "spare"), ("user", "remove", "tech1")):
        assert "phoneterm broker config FOLDER" in site(*command, *mosquitto)
    assert "mosquitto" not in site("user", "remove", "tech2", *mosquitto)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("user", "add", "bert"), "The user bert is added: no extension yet; not multi user aware."),
        (("user", "extension", "tech2", "104"), "The extension 104 is added for tech2: type term, context internal."),
        (("user", "change", "101", "--context", "sales"), "The extension 101 is changed: context sales."),
        (("user", "allow", "tech2"),
         "tech2 is multi user aware: the terminals of tech2 may transfer, as far as each may."),
        (("user", "deny", "tech1"),
         "tech1 is not multi user aware any more: no terminal of tech1 may transfer."),
        (("terminal", "deny", "spare", "--op", "blind"), "spare may now: attended to internal."),
        (("terminal", "grant", "spare", "--classes", "internal,national"),
         "spare may now: blind and attended to internal, national."),
        (("policy", "numbers", "spare", "--allow", "030"), "spare: numbers allowed 030; denied none."),
        (("policy", "revoke"), "No terminal may transfer to numbers outside any more; phoneterm policy restore lets "
                               "them again."),
        (("policy", "restore"), "Terminals may transfer to numbers outside again, as far as each may."),
        (("user", "export", "out.csv"), "Written to out.csv: 4 lines, without secrets."),
    ],
)  # fmt: skip
def test_a_command_that_changes_something_prints_one_line_of_what_it_did(site, command, line):
    assert site(*command) == f"{line}\n"


def test_a_class_that_no_number_has_is_not_granted(site):
    said = site("terminal", "grant", "spare", "--classes", "internal,intrenal", exit_code=1)
    assert said == "There is no class intrenal; there are internal, national, international.\n"
    assert record("spare").classes == ("internal",)


def test_a_terminal_that_was_removed_since_a_backup_comes_back_revoked(site, tmp_path):
    path = load_settings().store.path
    create_backup(path, tmp_path / "before.db")
    site("terminal", "remove", "phone-101", "--yes")
    restore_backup(tmp_path / "before.db", path, "test", "here")
    engine = open_store(path)
    terminals = reading.read_snapshot(engine).terminals
    engine.dispose()
    assert {tid: one.is_revoked for tid, one in terminals.items()} == {"phone-101": True, "spare": False}


def test_a_terminal_that_was_removed_and_enrolled_again_before_a_backup_stays_as_it_is(site, tmp_path):
    path = load_settings().store.path
    site("terminal", "remove", "phone-101", "--yes")
    (tmp_path / "phone-101.json").unlink()
    site("terminal", "add", "--extension", "101", "--here")
    create_backup(path, tmp_path / "before.db")
    restore_backup(tmp_path / "before.db", path, "test", "here")
    assert not record().is_revoked


async def test_a_running_bridge_cuts_a_removed_terminal_off_and_clears_what_it_left(broker_scene, make):
    terminal = await broker_scene.terminal()
    await terminal.hello()
    broker = broker_scene.bridge.parts.broker
    kept = {terminal.topic(kind) for kind in (messages.PERMISSIONS, messages.CONFIG)}
    await make.until(lambda: kept <= broker.retained_topics)
    broker_scene.directory.remove_terminal("phone-101")
    await make.until(lambda: terminal.wire.is_lost)
    await make.until(lambda: not [where for where in broker.retained_topics if "phone-101" in where])


async def test_a_bridge_that_was_away_when_it_was_removed_clears_up_when_it_is_back(make, tmp_path):
    scene = await make.Scene(tmp_path).start()
    terminal = await scene.terminal()
    await terminal.hello()
    await scene.bridge.stop()
    Directory(scene.engine, "test").remove_terminal("phone-101")
    await scene.start()
    left = {terminal.topic(kind) for kind in (messages.PERMISSIONS, messages.CONFIG, messages.STATE)}
    await make.until(lambda: left <= {topic for topic, payload, _ in scene.link.published if not payload})
    await scene.stop()
