"""`phoneterm attack`: its table, its exit codes, what it says of mistakes, and its end when it is interrupted."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest
from attack_lab.every_probe import PROBES
from attack_lab.probe import Probe
from attack_lab.scenery.waiting import until
from attack_lab.site import EMBEDDED, NEITHER, Site
from attack_lab.watch import try_probe, watch
from phoneterm.core import messages
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

_ROOT = Path(__file__).parents[2]
_LAB = _ROOT / "tools/labs/attack_lab"
_THREATS = (_ROOT / "tools/phoneterm_bridge/README.md").read_text().split("| threat |", 1)[1].split("\n\n", 1)[0]


def run(*words):
    return CliRunner().invoke(make_app(("attack",)), ("attack", *words))


def test_the_table_says_what_was_tried_and_that_it_held():
    said = run("--short", "--only", "journal: view", "--only", "stranger at the broker", "--broker", "embedded")
    assert said.exit_code == 0, said.output
    assert re.search(r"^journal: view +- +held +[\d.]+  the view that people read", said.output, re.MULTILINE)
    assert re.search(r"^stranger at the broker +embedded +held +[\d.]+  12 logins", said.output, re.MULTILINE)
    assert re.search(r"^2 of 2 held, in \d+ s\.$", said.output, re.MULTILINE)


def test_what_did_not_hold_is_said_and_ends_with_1(monkeypatch):
    monkeypatch.setattr("phoneterm_bridge.store.journal_proof.find_schema_difference", lambda connection: None)
    said = run("--short", "--only", "journal: view")
    assert said.exit_code == 1
    assert re.search(r"^journal: view +- +NOT HELD ", said.output, re.MULTILINE)
    assert "    seen: a view that lies: journal verify says 'The journal is whole" in said.output
    assert "0 of 1 held" in said.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--broker", "carrier-pigeon"), "--broker can be both, embedded, mosquitto, not carrier-pigeon.\n"),
        (("--only", "tickle"), "There is no probe 'tickle'; `phoneterm attack --list` has all of them.\n"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence):
    said = run(*words)
    assert (said.exit_code, said.output) == (1, sentence)


def test_the_list_has_every_probe_and_attacks_nothing():
    said = run("--list")
    assert [line[:27].strip() for line in said.output.splitlines()] == [probe.name for probe in PROBES]


@pytest.mark.parametrize(
    ("number", "probe", "broker", "most"),
    [
        (signal.SIGINT, "killed bridge", "embedded", 3),  # the process that starts bridges, a bridge and a phone
        (signal.SIGTERM, "fuzzed messages", "mosquitto", 1),
    ],
)
async def test_interrupted_it_leaves_no_process_and_no_folder_behind(number, probe, broker, most, tmp_path, need_part):
    need_part("mosquitto")
    words = ("attack", "--only", probe, "--broker", broker)
    program = "from phoneterm_cli.main import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *words, env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    children = []
    async with asyncio.timeout(100):
        while len(children) < most:
            await asyncio.sleep(0.05)
            assert process.returncode is None
            children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (130, "Interrupted; everything that was started has ended.\n")
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    assert list(tmp_path.iterdir()) == []


class Made(Probe):
    """A probe that a test makes."""

    sentence, brokers, most_s = "something", (NEITHER,), 0.2

    def __init__(self, name, act):
        self.name, self._act = name, act

    async def run(self, site):
        return await self._act(site)


async def hold(site):
    return None


async def hang(site):
    await asyncio.Event().wait()


async def stumble(site):
    raise ConnectionResetError("by peer")


async def insist(site):
    raise AssertionError("it was not so")


@pytest.mark.parametrize(
    ("act", "seen"),
    [
        (hold, None),
        (hang, "it did not end within 0 s"),
        (stumble, "it ended with ConnectionResetError: by peer"),
        (insist, "it was not so"),
    ],
)
async def test_whatever_becomes_of_a_probe_is_told(act, seen):
    assert await try_probe(Made("made", act), Site(NEITHER), 0.2) == seen


async def test_what_gets_no_time_was_not_tried_and_has_not_held():
    results = [one async for one in watch([Made("first", hang), Made("second", hold)], (EMBEDDED,), within_s=0.1)]
    assert [one.seen for one in results] == ["it did not end within 0 s", "it was not tried: the time for all was over"]


async def test_an_error_that_the_bridge_logs_meanwhile_has_not_held():
    async def break_message(site):
        scene = await site.open()
        terminal = await scene.terminal()
        await terminal.hello()
        scene.pbx.calls = None
        await terminal.send(messages.COMMAND, terminal.command())
        await until(site.log.find_errors)
        del scene.pbx.calls

    seen = await try_probe(Made("made", break_message), Site(EMBEDDED), 20)
    assert seen.startswith("the bridge has logged an error: ")


def test_every_file_of_a_probe_is_in_the_list_and_every_name_is_there_once():
    files = {path.stem for path in (_LAB / "probes").glob("*.py")} - {"__init__"}
    assert {type(probe).__module__.rpartition(".")[2] for probe in PROBES} == files
    assert len({probe.name for probe in PROBES}) == len(PROBES)


def test_the_page_of_the_lab_has_every_probe():
    table = (_LAB / "README.md").read_text().split("| probe |", 1)[1].split("\n\n", 1)[0]
    named = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert named == [probe.name for probe in PROBES]


def test_the_threat_model_names_the_probes_that_show_each_row():
    rows = [line.split("|") for line in _THREATS.splitlines()[2:]]
    named = [re.findall(r"`([^`]+)`", row[4]) for row in rows]
    assert all(named), "a row without a probe"
    assert {name for names in named for name in names} == {probe.name for probe in PROBES}
