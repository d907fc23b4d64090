"""`phoneterm terminal bulk`: who is affected, who is not and why; then all of it or nothing, each change journalled."""

import json
from contextlib import contextmanager

import pytest
from phoneterm_bridge.administration.bulk_change import KINDS, MOST_AT_ONCE, Change, preview_change, read_change
from phoneterm_bridge.administration.bulk_making import make_change
from phoneterm_bridge.administration.firmware_age import find_newest
from phoneterm_bridge.administration.requesting import Patience
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.directory_proof import find_untold
from phoneterm_bridge.store.pbx_permissions import PbxPermissions
from phoneterm_bridge.store.sightings import Sighting, write_all
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

PLACE = "Berlin, 2nd floor"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with anna's 101 and 102, bert's 103 and his fax 190 with a terminal of before, and carl's revoked 104."""
    monkeypatch.chdir(tmp_path)
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    directory = Directory(engine, "test")
    people = (("anna", True, ("101", "102")), ("bert", False, ("103", "190")), ("carl", True, ("104",)))
    for user, is_aware, numbers in people:
        directory.add_user(user, is_aware)
        for number in numbers:
            directory.add_extension(number, user)
            directory.add_terminal(f"phone-{number}", number)
    directory.change_extension("190", type="fax")
    directory.revoke_terminal("phone-104")
    yield engine
    engine.dispose()


@pytest.fixture
def phoneterm(store):
    """Run a command; return what it printed, and assert its exit code."""

    def run(*words, exit_code=0, said=None):
        result = CliRunner().invoke(make_app((words[0],)), words, input=said, obj=Patience(0.2, 0.2, 0.2))
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


ALL = tuple(f"phone-{number}" for number in ("101", "102", "103", "190", "104", "999"))


def look(engine, what, value="", tids=ALL, find_absence=lambda *_: ""):
    change = read_change(what, value, ("internal", "national"))
    return preview_change(change, tids, reading.read_snapshot(engine), find_absence)


def affected(preview):
    return {one.tid: (one.now, one.then) for one in preview.affected}


class OvertakenDirectory(Directory):
    """A directory that somebody else changes after the preview was looked at again, while secrets are made."""

    @contextmanager
    def gathered(self):
        Directory(self._engine, "somebody else").set_classes("phone-101", ("internal", "mobile"))
        with super().gathered():
            yield


def test_what_somebody_else_changes_at_the_last_moment_is_not_undone(store):
    preview = look(store, "allow-class", "national")
    directory = OvertakenDirectory(store, "cli:anna")
    with pytest.raises(SetupProblem, match="has changed since the preview"):
        make_change(store, directory, preview.change, ALL, preview.mark, list)
    assert reading.read_snapshot(store).terminals["phone-101"].classes == ("internal", "mobile")


def test_each_kind_says_who_is_affected_and_why_somebody_is_not(store):
    gone = {"phone-104": "it is revoked", "phone-999": "there is no such terminal"}
    no_phone = {"phone-190": "its extension 190 is of the type fax, and no phone terminal"}
    everybody = dict.fromkeys(ALL[:4], ("", ""))
    both = ("blind, attended", "attended")
    expected = {
        ("aware", ""): ({"phone-103": ("not multi user aware", "multi user aware")},
                        no_phone | dict.fromkeys(ALL[:2], "anna is multi user aware already")),
        ("not-aware", ""): (dict.fromkeys(ALL[:2], ("multi user aware", "not multi user aware")),
                            no_phone | {"phone-103": "bert is not multi user aware anyway"}),
        ("deny-blind", ""): (dict.fromkeys(ALL[:4], both), {}),
        ("allow-blind", ""): ({}, dict.fromkeys(ALL[:4], "it may do blind transfers already")),
        ("allow-class", "national"): (dict.fromkeys(ALL[:4], ("internal", "internal, national")), {}),
        ("deny-class", "internal"): (dict.fromkeys(ALL[:4], ("internal", "no class")), {}),
        ("deny-class", "national"): ({}, dict.fromkeys(ALL[:4], "it may not transfer to national numbers anyway")),
        ("group", PLACE): (dict.fromkeys(ALL[:4], ("no group", PLACE)), {}),
        ("group", ""): ({}, dict.fromkeys(ALL[:4], "it is in no group anyway")),
        ("rotate", ""): (everybody, {}),
        ("reboot", ""): (everybody, {}),
    }  # fmt: skip
    for (what, value), (changed, not_changed) in expected.items():
        preview = look(store, what, value)
        assert (affected(preview), dict(preview.left_out)) == (changed, not_changed | gone), what
    revoking = look(store, "revoke")
    assert (affected(revoking), dict(revoking.left_out)) == (
        everybody, {"phone-104": "it is revoked already", "phone-999": "there is no such terminal"}
    )  # fmt: skip
    away = look(store, "identify", find_absence=lambda tid, _: "it is not online" if tid == "phone-102" else "")
    assert dict(away.left_out)["phone-102"] == "it is not online"


def test_what_a_change_means_beyond_the_chosen_is_said(store):
    assert look(store, "not-aware", tids=["phone-101"]).notes == (
        "It counts for the whole user, so also for 1 terminal not chosen: phone-102.",
    )
    assert look(store, "deny-blind").notes == ("Without effect while the user is not multi user aware: bert.",)
    assert look(store, "group", PLACE).notes == (f"{PLACE} is a new group.",)
    assert "cannot come back" in look(store, "rotate").notes[0]


@pytest.mark.parametrize(
    ("what", "value", "sentence"),
    [
        ("explode", "", "A change of many terminals is identify, "),
        ("reboot", "now", "The change reboot takes no value."),
        ("allow-class", "", "The change allow-class needs a class of numbers."),
        ("allow-class", "nonsense", "There is no class nonsense; there are internal, national."),
        ("deny-class", "A B", "A destination class has 1 to 16"),
        ("group", "=cmd()", "A site group's name has 1 to 64"),
    ],
)
def test_a_change_that_there_is_not_is_one_sentence(what, value, sentence):
    with pytest.raises(SetupProblem) as told:
        read_change(what, value, ("internal", "national"))
    assert str(told.value).startswith(sentence)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("identify", "reboot")])
def test_whatever_is_changed_is_what_was_previewed_and_the_journal_tells_all_of_it(store, kind):
    value = {"allow-class": "national", "deny-class": "internal", "group": PLACE}.get(kind, "")
    if kind in ("allow-blind", "allow-attended"):
        Directory(store, "test").set_operation("phone-101", kind.removeprefix("allow-"), False)
    preview, revision, kept = look(store, kind, value), reading.read_revision(store), []
    make_change(store, Directory(store, "cli:anna"), preview.change, ALL, preview.mark, kept.extend)
    after = look(store, kind, value)
    if kind != "rotate":
        assert after.affected == ()
    assert [one.tid for one in kept] == (list(ALL[:4]) if kind == "rotate" else [])
    changes = {one.user if "aware" in kind else one.tid for one in preview.affected}
    assert reading.read_revision(store) == revision + len(changes)
    with store.connect() as connection:
        assert find_untold(connection) is None


def test_as_many_as_a_site_has_are_changed_at_once_but_not_any_number(store):
    many = [f"phone-{number}" for number in range(MOST_AT_ONCE)]
    assert len(look(store, "reboot", tids=many).left_out) == MOST_AT_ONCE - 4
    for tids in ([*many, "one-more"], []):
        with pytest.raises(SetupProblem, match="Choose 1 to 5000 terminals"):
            look(store, "reboot", tids=tids)


def test_what_has_changed_since_the_preview_is_not_done(store):
    preview = look(store, "deny-blind")
    Directory(store, "test").set_operation("phone-102", "blind", False)
    with pytest.raises(SetupProblem, match="has changed since the preview, so nothing was done"):
        make_change(store, Directory(store, "test"), preview.change, ALL, preview.mark, list)
    assert reading.read_snapshot(store).terminals["phone-101"].allows_blind


@pytest.mark.parametrize("what", ["aware", "not-aware"])
def test_where_the_pbx_says_who_is_multi_user_aware_nobody_is_changed_by_the_dozen(store, what):
    PbxPermissions(store, "VoipNow", "test").follow()
    with pytest.raises(
        SetupProblem, match=r"^VoipNow says who is multi user aware, and is asked for one user at a time"
    ):
        look(store, what)


def test_secrets_that_cannot_be_kept_are_not_made(store):
    before = reading.read_snapshot(store)

    def fail(_):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        make_change(store, Directory(store, "test"), Change("rotate"), ALL, None, fail)
    assert reading.read_snapshot(store) == before


def test_the_command_previews_asks_and_does_it(store, phoneterm):
    said = phoneterm("terminal", "bulk", "deny-blind", "phone-101", "phone-104", "--dry-run")
    assert said.splitlines() == [
        "1 terminal: each may not do blind transfers any more:",
        "  phone-101            101        anna                 blind, attended -> attended",
        "Not affected: phone-104: it is revoked.",
    ]
    said = phoneterm("terminal", "bulk", "deny-blind", "phone-101", said="n\n", exit_code=1)
    assert "Nothing was changed" in said
    assert reading.read_snapshot(store).terminals["phone-101"].allows_blind
    said = phoneterm("terminal", "bulk", "deny-blind", "--all", "--yes")
    assert said.endswith("Done: 4 terminals may not do blind transfers any more.\n")
    assert not reading.read_snapshot(store).terminals["phone-103"].allows_blind
    change = json.loads(phoneterm("journal", "changes", "phone-103", "--json"))[0]
    assert (change["who"].partition(":")[0], change["what"]) == ("cli", "blind False")
    assert "it may do no blind transfers anyway" in phoneterm("terminal", "bulk", "deny-blind", "--all", exit_code=1)


def test_whoever_is_meant_is_chosen_by_group_and_by_firmware(store, phoneterm):
    phoneterm("terminal", "group", PLACE, "phone-101", "phone-103")
    assert "No terminal is in a site group 'Bonn'" in phoneterm(
        "terminal", "bulk", "revoke", "--in", "Bonn", exit_code=1
    )
    said = phoneterm("terminal", "bulk", "deny-attended", "--in", PLACE, "--dry-run")
    assert said.startswith("2 terminals: ")
    versions = {"phone-101": "0.9.0", "phone-102": "0.10.0", "phone-103": "0.10.0"}
    write_all(
        store, [Sighting(tid, True, 1, "b001", version, "X", None, None, None) for tid, version in versions.items()]
    )
    said = phoneterm("terminal", "bulk", "deny-attended", "--outdated", "--dry-run")
    assert said.splitlines()[1].split()[0] == "phone-101"
    assert find_newest(versions.values()) == "0.10.0"
    assert "Say which" in phoneterm("terminal", "bulk", "deny-attended", exit_code=1)
    assert "no bridge is running" in phoneterm("terminal", "bulk", "reboot", "--all", "--yes", exit_code=1)


def test_many_get_new_secrets_each_in_a_file_of_its_own_or_none_does(store, phoneterm, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "phone-102.json").write_text("there already")
    rotate = ("terminal", "bulk", "rotate", "phone-101", "phone-102", "--yes", "--here")
    before = reading.read_snapshot(store)
    assert "--output FOLDER" in phoneterm(*rotate, exit_code=1)
    assert "exists already" in phoneterm(*rotate, "-o", "new", exit_code=1)
    assert reading.read_snapshot(store) == before
    phoneterm(*rotate, "-o", "newer")
    for tid in ("phone-101", "phone-102"):
        kept = json.loads((tmp_path / "newer" / f"{tid}.json").read_text())
        assert bytes.fromhex(kept["mac_key"]) == reading.read_snapshot(store).terminals[tid].key
    said = phoneterm("terminal", "bulk", "revoke", "--in", "none", "--yes")
    assert "Nothing gives them their rights back." in said
    assert all(one.is_revoked for one in reading.read_snapshot(store).terminals.values())
