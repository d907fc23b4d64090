"""Every list of the program can be had as JSON, for machines."""

import json

import pytest
import typer
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

_LISTING = ("list", "show", "commands", "changes")


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


_LISTS = [(path, command) for path, command in commands(typer.main.get_command(make_app())) if path[-1] in _LISTING]


def test_there_are_lists():
    assert len(_LISTS) >= 8


@pytest.mark.parametrize(("path", "command"), _LISTS, ids=[" ".join(path) for path, _ in _LISTS])
def test_a_list_has_the_option(path, command):
    assert "--json" in {name for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "list"), ("terminal", "list"), ("terminal", "show", "phone-101"), ("policy", "show"),
        ("journal", "changes"), ("journal", "commands"), ("why", "101"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_it_prints_is_json_without_secrets(arguments, tmp_path):
    engine = open_fresh_store(tmp_path / "bridge.db")
    directory = Directory(engine, "cli:anna", "host pc7")
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    enrolment = directory.add_terminal("phone-101", "101")
    engine.dispose()
    options = ["--json", "--set", f"store.path={tmp_path / 'bridge.db'}"]
    done = CliRunner().invoke(make_app(), [*arguments, *options])
    assert done.exit_code == 0, done.output
    json.loads(done.output)
    for secret in (enrolment.mqtt_password, enrolment.mac_key.hex(), "argon2", "$7$"):
        assert secret not in done.output
