"""What all commands of `phoneterm` share: options before the command, help, completion, secrets, exit codes."""

import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from phoneterm_cli.main import _PARTS, find_part, main, make_command
from typer.core import TyperArgument, TyperGroup

_README = Path(__file__).parents[2] / "tools/phoneterm_bridge/README.md"


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs `phoneterm` in a folder, in this process, and returns what it said."""

    def run_one(*words, folder, exit_code=0):
        with monkeypatch.context() as there:
            there.setattr(sys, "stdin", io.StringIO())
            for name in [name for name in os.environ if name.startswith("PHONETERM_")]:
                there.delenv(name)
            there.chdir(folder)
            there.setattr(sys, "argv", ["phoneterm", *words])
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == exit_code, said
        return said.out + said.err

    return run_one


@pytest.fixture
def site(tmp_path, phoneterm):
    """A folder with the settings file site.toml, whose store has the terminals phone-101 and spare."""
    (tmp_path / "site.toml").write_text("[store]\npath = 'kept/here.db'\n")
    store = ("--config", "site.toml")
    phoneterm("user", "add", "tech1", "--extension", "101", *store)
    phoneterm("terminal", "add", "--extension", "101", "--here", *store)
    phoneterm("terminal", "add", "--extension", "101", "--tid", "spare", "--here", *store)
    return tmp_path


@pytest.mark.parametrize("words", [("--config", "site.toml"), ("--config=site.toml",)])
def test_the_settings_file_can_be_named_before_the_command(run, site, words):
    assert run(*words, "user", "list", folder=site).split() == ["tech1", "-", "101"]
    assert "named by --config" in run(*words, "config", "show", folder=site)
    assert "There is no store" in run("user", "list", folder=site, exit_code=1)
    assert "gone.toml does not exist" in run(*words, "user", "list", "--config", "gone.toml", folder=site, exit_code=1)


def test_init_writes_the_file_that_is_named_before_the_command(run, tmp_path):
    assert "Settings written to new.toml" in run("--config", "new.toml", "bridge", "init", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new.toml"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["user", "list"], "user"), (["--config", "user", "why", "101"], "why"), (["--config=x", "user"], "user"),
        (["-h"], None), (["--version"], None), ([], None), (["--config"], None),
    ],
)  # fmt: skip
def test_only_the_part_that_is_named_is_loaded(words, part):
    assert find_part(words) == part


def test_the_version_is_printed(run, tmp_path):
    assert run("--version", folder=tmp_path) == f"phoneterm {version('phoneterm')}\n"


def commands_below(command, words=("phoneterm",)):
    """Yield every command with its words."""
    yield words, command
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from commands_below(below, (*words, name))


_ALL = dict(commands_below(make_command()))


@pytest.mark.parametrize("part", [(), *((part,) for part in _PARTS)], ids=" ".join)
def test_the_help_of_every_command_has_one_style(part):
    wrong = []
    for words, command in _ALL.items():
        if words[1 : 1 + len(part)] != part or (not part and len(words) > 1):
            continue
        says = [("", command.help or "")]
        for parameter in command.params:
            says.append((parameter.name, getattr(parameter, "help", None) or ""))
            if isinstance(parameter, TyperArgument) and not re.fullmatch("[A-Z_]+", parameter.metavar):
                wrong.append((*words, parameter.metavar))
        for name, text in says:
            sentence = text.strip().split("\n\n")[0]
            if not re.match(r"[A-Z0-9`]", sentence) or not sentence.endswith("."):
                wrong.append((*words, name, sentence))
    assert wrong == []


@pytest.mark.parametrize("words", [("-h",), ("user", "-h"), ("user", "add", "-h"), ("device", "flash", "-h")])
def test_h_is_help_everywhere(run, tmp_path, words):
    assert run(*words, folder=tmp_path).startswith("Usage: ")


@pytest.mark.parametrize("module", ["typer", "device_cable.cli"])
def test_ctrl_c_while_the_command_is_being_loaded_ends_it_without_a_traceback(tmp_path, module):
    code = (
        "import os, signal, sys\n"
        "class Interrupter:\n"
        "    def find_spec(self, name, *_):\n"
        f"        name == {module!r} and os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupter())\n"
        "from phoneterm_cli.start import main\n"
        "sys.argv = ['phoneterm', 'device', 'logs', '--port', 'nothing']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def complete(folder, *words):
    """Return what a shell offers after these words, the last of which has begun."""
    asked = {"_PHONETERM_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    code = "from phoneterm_cli.main import main; import sys; sys.argv = ['phoneterm']; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ | asked, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_ids_of_terminals_are_completed_from_the_store_of_the_settings(site):
    before = sorted(site.rglob("*"))
    named = ("phoneterm", "--config", "site.toml")
    assert complete(site, *named, "terminal", "revoke", "p") == ["phone-101"]
    assert complete(site, *named, "policy", "numbers", "s") == ["spare"]
    assert complete(site, "phoneterm", "terminal", "show", "--config", "site.toml", "s") == ["spare"]
    assert complete(site, "phoneterm", "terminal", "show", "p") == []
    assert sorted(site.rglob("*")) == before


def test_boards_are_completed(tmp_path):
    (tmp_path / "boards/MINE").mkdir(parents=True)
    (tmp_path / "boards/MINE/board.py").write_text("")
    words = ("phoneterm", "device", "flash", "--boards", "boards", "--board", "M")
    assert complete(tmp_path, *words) == ["MINE"]
    for words in (("board", "check"), ("firmware", "build")):
        assert "ESP32_GENERIC" in complete(tmp_path, "phoneterm", *words, "ESP")


@pytest.mark.parametrize(
    ("name", "variable"),
    [("pbx.secret", "PHONETERM_PBX__SECRET"), ("broker.password", "PHONETERM_BROKER__PASSWORD")],
)
@pytest.mark.parametrize("words", [("user", "list"), ("config", "show"), ("doctor",), ("bridge", "run")], ids=" ".join)
def test_a_secret_on_a_command_line_is_refused_with_the_way_to_give_it(phoneterm, words, name, variable):
    said = phoneterm(*words, f"--set={name}=the-secret", exit_code=2)
    assert f"{name} is a secret" in said
    assert f"{variable}=... into the file of variables beside the settings file" in said
    assert "the-secret" not in said


def test_the_exit_codes_are_those_of_the_list(run, site):
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", _README.read_text(), re.MULTILINE)}
    found = set()
    named = ("--config", "site.toml")
    for code, words in [
        (0, ("terminal", "list", *named)), (0, ("--version",)), (0, ("user", "-h")),
        (1, ("terminal", "show", "nobody", *named)), (1, ("terminal", "remove", "spare", *named)),
        (1, ("digit-map", "check", "")), (1, ("board", "check", "")),
        (2, ("terminal", "shwo")), (2, ("terminal", "show")), (2, ("user", "list", "--set=pbx.secret=x")),
    ]:  # fmt: skip
        run(*words, folder=site, exit_code=code)
        found.add(code)
    found.add(interrupt(site))
    assert found == listed


def test_ctrl_c_while_a_connection_goes_back_to_its_pool_is_no_traceback(site):
    program = Path(__file__).with_name("interrupted_in_the_pool.py")
    ended = subprocess.run(
        [sys.executable, program, "--config", "site.toml", "user", "list"], cwd=site, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr.strip()) == (130, "")


def interrupt(folder):
    """Press Ctrl-C while a command waits for a bridge; return its exit code."""
    words = ("--config", "site.toml", "terminal", "identify", "phone-101")
    asking = subprocess.Popen(
        [sys.executable, "-c", "from phoneterm_cli.main import main; main()", *words], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with closing(sqlite3.connect(folder / "kept/here.db", timeout=60)) as connection:
        while not connection.execute("SELECT 1 FROM requests").fetchone():
            assert asking.poll() is None
            time.sleep(0.01)
    asking.send_signal(signal.SIGINT)
    _, said = asking.communicate(timeout=60)
    assert "Traceback" not in said
    return asking.returncode
