"""Every command finds the same settings, and `phoneterm config show` says which, why, and where each is from."""

import json
import os
from pathlib import Path

import pytest
from bridge.other_user import OTHER, folder_for_others, run_as_other
from phoneterm_bridge.cli import bridge_app, config_app, user_app
from phoneterm_bridge.cli.doctor import doctor
from phoneterm_bridge.settings.place import HERE, SYSTEM_STORE, default_store, find_place, place_to_write
from phoneterm_bridge.settings.problem import SetupProblem
from typer import Typer
from typer.testing import CliRunner

doctor_app = Typer()
doctor_app.command()(doctor)


@pytest.fixture
def places(tmp_path):
    """Put a settings file in every place that is searched; return (named, in the variable, here, system)."""
    places = [tmp_path / name for name in ("named.toml", "variable.toml", "here/phoneterm.toml", "system/bridge.toml")]
    for place in places:
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"[pbx]\nusername = '{place.stem}'\n")
    return places


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command in an empty folder, checks its exit code and returns its output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHONETERM_CONFIG", raising=False)

    def run_command(app, *arguments, exit_code=0):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run_command


def test_the_settings_file_is_the_named_one_then_the_variables_then_the_folders_then_the_services(places):
    named, variable, here, system = places
    environment, folder = {"PHONETERM_CONFIG": str(variable)}, here.parent
    assert find_place(named, environment, folder, system) == (named, "named by --config")
    assert find_place(None, environment, folder, system) == (variable, "named by PHONETERM_CONFIG")
    assert find_place(None, {"PHONETERM_CONFIG": ""}, folder, system) == (here, "found in the working folder")
    here.unlink()
    place = find_place(None, {}, folder, system)
    assert (place.path, place.why.startswith("found there, without --config")) == (system, True)
    system.unlink()
    place = find_place(None, {}, folder, system)
    assert (place.path, place.why.endswith(f"no {system}")) == (None, True)


def test_a_link_to_nowhere_in_the_working_folder_is_not_passed_over(run, tmp_path):
    (tmp_path / "phoneterm.toml").symlink_to("gone.toml")
    said = run(user_app, "list", exit_code=1)
    assert said == "The settings file phoneterm.toml is a link to gone.toml, which does not exist.\n"


def test_variables_behind_a_link_to_nowhere_are_not_passed_over(run, tmp_path):
    (tmp_path / "phoneterm.toml").touch()
    (tmp_path / "phoneterm.env").symlink_to("gone.env")
    said = run(user_app, "list", exit_code=1)
    assert said == "The file phoneterm.env is a link to gone.env, which does not exist.\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a file away: run the tests as root.")
def test_a_file_that_another_user_has_put_into_the_working_folder_must_be_named(places):
    here = places[2]
    os.chown(here, OTHER, OTHER)
    with pytest.raises(SetupProblem, match=r"phoneterm\.toml belongs to another user: name it with --config"):
        find_place(None, {}, here.parent)
    assert find_place(None, {"SUDO_UID": str(OTHER)}, here.parent).path == here
    assert find_place(here, {}, here.parent).path == here


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a file away: run the tests as root.")
def test_neither_a_link_nor_the_variables_of_another_user_count_unnamed(places):
    named, here, beside = places[0], places[2], places[2].with_suffix(".env")
    beside.write_text("PHONETERM_STORE__PATH=elsewhere.db\n")
    os.chown(beside, OTHER, OTHER)
    with pytest.raises(SetupProblem, match=r"phoneterm\.env belongs to another user: name phoneterm\.toml"):
        find_place(None, {}, here.parent)
    beside.unlink()
    here.unlink()
    here.symlink_to(named)
    assert find_place(None, {}, here.parent).path == here
    os.chown(here, OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(SetupProblem, match=r"phoneterm\.toml belongs to another user"):
        find_place(None, {}, here.parent)


@pytest.mark.parametrize("named", ["", ".", "/"])
def test_what_is_no_file_is_refused_as_settings_file(run, monkeypatch, named):
    assert run(config_app, "show", "--config", named, exit_code=1).endswith(", named by --config, is no file.\n")
    monkeypatch.setenv("PHONETERM_CONFIG", named or ".")
    assert run(user_app, "list", exit_code=1).endswith(", named by PHONETERM_CONFIG, is no file.\n")


def test_a_new_file_goes_where_every_command_looks(tmp_path):
    system = tmp_path / "etc" / "bridge.toml"
    assert place_to_write({}, tmp_path, system) == tmp_path / HERE
    system.parent.mkdir()
    assert place_to_write({}, tmp_path, system) == system
    assert place_to_write({"PHONETERM_CONFIG": "x.toml"}, tmp_path, system) == Path("x.toml")


def test_the_service_and_the_commands_beside_it_have_one_store(tmp_path):
    """The service reads a copy of its settings file, which systemd puts into a folder for credentials."""
    copy = tmp_path / "credentials" / "bridge.toml"
    environment = {"CREDENTIALS_DIRECTORY": str(copy.parent)}
    assert default_store(copy, environment, tmp_path / "bridge.toml") == SYSTEM_STORE
    assert default_store(tmp_path / "bridge.toml", {}, tmp_path / "bridge.toml") == SYSTEM_STORE
    assert default_store(tmp_path / "other.toml", {}, tmp_path / "bridge.toml") == tmp_path / "state/phoneterm.db"


def test_what_init_writes_is_what_every_command_reads(run, tmp_path):
    assert "where every command in this folder finds it" in run(bridge_app, "init")
    text = (tmp_path / "phoneterm.toml").read_text()
    (tmp_path / "phoneterm.toml").write_text(text.replace('# path = "state/phoneterm.db"', 'path = "data/b.db"'))
    run(user_app, "add", "tech1")
    assert (tmp_path / "data" / "b.db").exists()
    assert "tech1" in run(user_app, "list")
    assert "next: phoneterm doctor --config other.toml" in run(bridge_app, "init", "other.toml")


def test_a_command_finds_its_settings_by_the_variable_from_any_folder(run, places, monkeypatch):
    (places[1].parent / "elsewhere").mkdir()
    monkeypatch.chdir(places[1].parent / "elsewhere")
    monkeypatch.setenv("PHONETERM_CONFIG", str(places[1]))
    run(user_app, "add", "tech1")
    assert (places[1].parent / "state" / "phoneterm.db").exists()
    monkeypatch.setenv("PHONETERM_CONFIG", "missing.toml")
    assert run(user_app, "list", exit_code=1).startswith("The settings file missing.toml does not exist")


def test_config_show_says_which_file_and_why_and_hides_secrets(run, tmp_path, monkeypatch):
    (tmp_path / "phoneterm.toml").write_text("[broker]\nport = 1884\n[pbx]\nsecret = 'file-secret'\n")
    (tmp_path / "phoneterm.env").write_text("PHONETERM_PBX__SECRET=beside-secret\n")
    monkeypatch.setenv("PHONETERM_BROKER__PASSWORD", "environment-secret")
    said = run(config_app, "show", "--set", "pbx.host=192.0.2.1")
    assert "-secret" not in said
    first, *rows = said.splitlines()
    assert first == (
        f"Settings from {tmp_path / 'phoneterm.toml'} (found in the working folder), and variables from phoneterm.env."
    )
    found = {row.split()[0]: row.split()[1:] for row in rows}
    assert found["broker.port"] == ["1884", "phoneterm.toml"]
    assert found["pbx.secret"] == ["(hidden)", "phoneterm.env"]
    assert found["broker.password"] == ["(hidden)", "PHONETERM_BROKER__PASSWORD"]
    assert found["pbx.host"] == ["192.0.2.1", "--set"]
    assert found["pbx.port"] == ["5038", "default"]
    shown = json.loads(run(config_app, "show", "--json"))
    assert (shown["file"], shown["why"]) == ("phoneterm.toml", "found in the working folder")
    assert {"name": "broker.port", "value": 1884, "source": "phoneterm.toml"} in shown["settings"]
    assert "-secret" not in json.dumps(shown)


def test_config_show_without_a_file_and_with_mistakes(run, tmp_path):
    assert run(config_app, "show").startswith("There is no settings file (no --config, no PHONETERM_CONFIG, ")
    (tmp_path / "phoneterm.toml").write_text("[broker]\nprot = 1\n")
    said = run(config_app, "show", exit_code=1).splitlines()
    assert said[0].startswith(f"Settings from {tmp_path / 'phoneterm.toml'}")
    assert said[1:] == ["The settings have no key broker.prot (in phoneterm.toml); did you mean port?"]


def test_the_doctor_knows_the_secrets_that_the_service_is_given_and_who_can_read_them(run, tmp_path):
    (tmp_path / "phoneterm.toml").write_text("[pbx]\nport = 9\n")
    (tmp_path / "phoneterm.toml").chmod(0o600)
    assert "pbx.secret is empty" in run(doctor_app, exit_code=1)
    (tmp_path / "phoneterm.env").write_text("PHONETERM_PBX__SECRET=beside-secret\n")
    (tmp_path / "phoneterm.env").chmod(0o644)
    said = run(doctor_app, exit_code=1)
    assert "pbx.secret is empty" not in said and "beside-secret" not in said
    assert "Others, not only its owner, can read the settings file phoneterm.env." in said


def test_variables_that_cannot_be_read_are_told_and_not_taken_for_empty():
    with folder_for_others() as folder:
        (folder / "phoneterm.toml").write_text("")
        (folder / "phoneterm.env").write_text("PHONETERM_PBX__SECRET=beside-secret\n")
        (folder / "phoneterm.env").chmod(0)
        done = run_as_other(
            "from pathlib import Path; from phoneterm_bridge.settings.bridge import load_settings",
            "load_settings(Path('phoneterm.toml'))",
            folder,
        )
    assert done.endswith(
        "SetupProblem: The file phoneterm.env, which has settings too, cannot be read: Permission denied; be root, or "
        "the user of the bridge.\n"
    )
