"""`phoneterm journal commands` lists transfers and what became of them, by terminal, extension, time and result."""

import asyncio
import json
import time

import pytest
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.cli.journal import app as journal_app
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.journal_commands import Wanted, read_commands
from phoneterm_bridge.store.reading import read_snapshot
from typer.testing import CliRunner

_T_MS = 1_780_000_000_000
_MINUTE_MS = 60_000
_ENDS = (("done", None), ("failed", "busy"), ("rejected", "permission"), ("refused", "no-link"))


@pytest.fixture
def engine(tmp_path):
    """A store with 1,000 commands, one a minute, in turn of two terminals and with four different ends."""
    engine = open_fresh_store(tmp_path / "bridge.db")
    directory = Directory(engine, "cli:anna")
    directory.add_user("tech1", True)
    for number in ("101", "102"):
        directory.add_extension(number, "tech1")
        directory.add_terminal(f"phone-{number}", number)
    terminals = read_snapshot(engine).terminals

    async def write():
        journal = Journal(engine)
        await journal.start()
        opening = []
        for index in range(1000):
            fields = {"id": f"s.{index}", "op": "blind", "number": "103", "call": "c1"}
            events = [Event("result", "accepted"), Event("result", *_ENDS[index % 4])]
            at_ms = _T_MS + index * _MINUTE_MS
            opening.append(journal.open(terminals[f"phone-10{1 + index % 2}"], fields, events, at_ms))
        await asyncio.gather(*opening)
        await journal.stop()

    asyncio.run(write())
    yield engine
    engine.dispose()


def minutes(found):
    return [(one.received_ms - _T_MS) // _MINUTE_MS for one in found]


def test_the_last_ones_come_first_each_with_its_last_result(engine):
    found = read_commands(engine, Wanted(), 5)
    assert minutes(found) == [999, 998, 997, 996, 995]
    assert [(one.state, one.reason) for one in found[:4]] == list(reversed(_ENDS))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(tid="phone-101"), [998, 996, 994]),
        (Wanted(extension="102"), [999, 997, 995]),
        (Wanted(result="failed"), [997, 993, 989]),
        (Wanted(result="permission"), [998, 994, 990]),
        (Wanted(until_ms=_T_MS + 2 * _MINUTE_MS), [2, 1, 0]),
        (Wanted(since_ms=_T_MS + 998 * _MINUTE_MS), [999, 998]),
        (Wanted("phone-101", "101", _T_MS, _T_MS + 7 * _MINUTE_MS, "done"), [4, 0]),
        (Wanted(result="busy", tid="phone-101"), []),
    ],
    ids=str,
)
def test_every_filter_counts_and_so_do_several(engine, wanted, expected):
    assert minutes(read_commands(engine, wanted, 3)) == expected


def test_all_of_them_can_be_had(engine):
    assert minutes(read_commands(engine, Wanted(), 5000)) == list(reversed(range(1000)))


@pytest.mark.parametrize("command", ["commands", "changes"])
def test_a_number_that_no_store_has_is_a_mistake_on_the_command_line(engine, command):
    done = CliRunner().invoke(journal_app, [command, "--most", "9" * 20, "--set", f"store.path={engine.url.database}"])
    assert (done.exit_code, "Invalid value for '--most'" in done.output) == (2, True)


def test_the_command_line_lists_them_with_year_and_zone_or_as_json(engine):
    def run(*arguments, exit_code=0):
        done = CliRunner().invoke(journal_app, ["commands", *arguments, "--set", f"store.path={engine.url.database}"])
        assert done.exit_code == exit_code, done.output
        return done.output

    zone = time.strftime("%Z", time.localtime(_T_MS / 1000))
    (line,) = run("--most", "1", "--result", "busy").splitlines()
    assert line.split()[2:] == [zone, "102", "phone-102", "blind", "103", "failed:", "busy"]
    found = json.loads(run("--extension", "101", "--json", "--since", "2026-01-01", "--until", "2026-11-01 10:00"))
    assert len(found) == 20
    assert {one["extension"] for one in found} == {"101"}
    assert run("--since", "2026-05-02", "--until", "2026-05-01", exit_code=1).startswith("There is no time between")
    assert "is still to come" in run("--since", "2199-05-02", exit_code=1)
