"""The bench of the bridge: it counts what really happened, and reports anything wrong."""

import asyncio
import json
import sys
from pathlib import Path

import psutil
import pytest
from bridge_lab import bench, beside_bench, limits, peers, worker
from bridge_lab.disk_bench import measure_disk
from bridge_lab.journal_bench import measure_journal
from bridge_lab.scene import PeerMissing, Scene
from bridge_lab.terminal import LoadTerminal
from phoneterm.core import messages

TERMINALS = 4


@pytest.fixture
def mosquitto(need_part):
    """The real broker, which a scene starts itself."""
    return need_part("mosquitto")


@pytest.fixture(autouse=True)
def _nothing_is_left():
    """No process outlives a scene."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


async def test_every_command_of_the_crowd_is_a_transfer_at_the_pbx_and_in_the_journal(mosquitto):
    async with Scene(TERMINALS, TERMINALS) as scene:
        await scene.join(TERMINALS)
        seconds, problems = await bench.measure_hello(scene)
        assert problems == []
        assert 0 < seconds < float("inf")
        flow = await bench.measure_flow(scene, 2, 0.5)
        assert flow.problems == []
        assert flow.results == {"done": flow.commands}
        assert flow.commands > 2
        assert 0 < flow.median_ms <= flow.p99_ms
        assert flow.whole_median_ms > 0
        assert flow.cpu_us > 0
        assert worker.resident_bytes(scene.subject.pid) > 10_000_000
        await scene.subject.stop()  # what is still to be journalled is
        assert await asyncio.to_thread(scene.count_journalled) == flow.commands


async def test_calls_can_really_move_and_the_terminals_follow(mosquitto):
    async with Scene(TERMINALS, TERMINALS, is_moving=True) as scene:
        await scene.join(TERMINALS)
        await bench.measure_hello(scene)
        flow = await bench.measure_flow(scene, 1, 0.5)
        assert flow.problems == []
        assert flow.commands > 1


async def test_the_memory_is_that_of_a_bridge_whose_pages_were_read(mosquitto):
    async with Scene(TERMINALS, has_pages=True) as scene:
        await scene.join(TERMINALS)
        await bench.measure_hello(scene)
        text = await scene.scrape()
        assert f'phoneterm_terminals{{state="online"}} {TERMINALS}.0' in text
        resident = next(line for line in text.splitlines() if line.startswith("process_resident_memory_bytes "))
        assert worker.resident_bytes(scene.subject.pid) == pytest.approx(float(resident.split()[1]), rel=0.1)


async def test_a_bridge_without_pages_cannot_be_scraped(mosquitto):
    async with Scene(TERMINALS) as scene:
        with pytest.raises(ValueError, match="no pages"):
            await scene.scrape()


async def test_a_site_whose_pbx_has_no_calls_is_found_out(mosquitto):
    async with Scene(TERMINALS, 0) as scene:
        await scene.join(TERMINALS)
        await bench.measure_hello(scene)
        with pytest.raises(worker.WorkerFailed, match="not every terminal was told of its call"):
            await bench.measure_flow(scene, 1, 0.5, calls_within_s=2)


@pytest.mark.parametrize(
    ("asked", "is_right"),
    [
        ([(2_000_000, "101"), (9_000_000, "102")], True),
        ([(2_000_000, "101")], False),  # one is missing
        ([(2_000_000, "101"), (9_000_000, "102"), (9_100_000, "102")], False),  # one came twice
        ([(2_000_000, "101"), (9_000_000, "199")], False),  # another number
    ],
)
def test_commands_and_actions_are_paired_one_to_one(asked, is_right):
    sent = {"load-1": [(1_000_000, "101"), (4_000_000, "102")]}
    delays_ms, problems = bench.match(sent, {"load-1": asked})
    assert (problems == []) == is_right
    assert delays_ms == ([1.0, 5.0] if is_right else [])


def test_an_action_that_nobody_asked_for_is_a_problem():
    assert bench.match({}, {"load-1": [(1, "101")]})[1] != []


async def test_a_terminal_notices_a_result_with_a_wrong_signature_or_of_another_command():
    terminal = LoadTerminal("phoneterm", "load-1", "password", b"k" * 32, lambda one: None)
    topic = messages.topic_of("phoneterm", "load-1", messages.RESULT)
    for key, command_id in ((b"another key", "s.1"), (b"k" * 32, "s.9")):
        payload = messages.encode(messages.RESULT, topic, key, {"id": command_id, "state": "done", "reason": None})
        body = len(topic).to_bytes(2, "big") + topic.encode() + b"\0\1" + payload
        terminal.data_received(b"\x32" + bytes([len(body) & 127 | 128, len(body) >> 7]) + body)
    assert len(terminal.wrong) == 2
    assert terminal.results == []


@pytest.mark.timeout(300)
async def test_commands_are_measured_alone_and_beside_pages_programs_and_logins(mosquitto):
    rows = [one async for one in beside_bench.measure_beside(0.5, 300, TERMINALS, rounds=1)]
    assert [one.name for one in rows] == ["/metrics", "/healthz", "why", "import", "wrong passwords"]
    assert all(one.commands > 2 and max(one.p99_ms + one.alone_ms) < float("inf") for one in rows)
    assert all(one.times for one in rows if one.name in ("/metrics", "/healthz", "wrong passwords"))
    problems = {problem for one in rows for problem in one.problems}
    assert problems <= {f"{name} was not done once beside the commands" for name in ("why", "import")}


def test_what_makes_commands_too_late_is_said_in_numbers():
    good = beside_bench.Beside("/metrics", 100, [99.0, 22.0, 3.0], [3.0, 2.0, 90.0], 50)
    bad = beside_bench.Beside("import", 100, [33.0, 33.0, 1.0], [3.0, 3.0, 3.0], 1, ["load-1 sent 2 commands"])
    assert beside_bench.failures_of_beside([good]) == []
    found = beside_bench.failures_of_beside([good, bad])
    assert found[0] == "load-1 sent 2 commands"
    assert "Beside import" in found[1] and "30.0 ms" in found[1]


def test_the_disk_is_measured_and_nothing_is_left_on_it(tmp_path):
    times = measure_disk(0.05, tmp_path)
    assert 0 < times.median_ms <= times.p99_ms
    assert list(tmp_path.iterdir()) == []


def test_what_is_missed_is_said_in_numbers():
    slow = bench.Flow(100, 20, 10.0, 50.0, 90.0, 60.0, 300.0, {"done": 100}, ["load-1 sent 2 commands"])
    sentences = limits.failures_of_flow(slow, slow)
    assert [sentence for sentence in sentences if "50.0 ms" in sentence or "90.0 ms" in sentence] == sentences[:2]
    assert any("10 commands a second" in sentence for sentence in sentences)
    assert "load-1 sent 2 commands" in sentences
    good = bench.Flow(100, 20, 4000.0, 1.0, 2.0, 3.0, 200.0, {"done": 100})
    assert limits.failures_of_flow(good, good) == []
    assert limits.failures_of_hello(1000, float("inf"), []) != []
    assert limits.failures_of_memory(79.0) == []
    assert limits.failures_of_memory(81.0) != []


def test_a_journal_is_written_and_answers(tmp_path):
    figures = measure_journal(tmp_path, 300)
    assert figures.commands == 300
    assert figures.megabytes > 0.1
    assert 0 < figures.slowest_ms < 60_000
    assert figures.command_line_s > 0


async def test_a_bridge_that_asks_twice_is_found_out(mosquitto):
    def make_careless(folder, where):
        argv = [sys.executable, str(Path(__file__).with_name("careless_bridge.py"))]
        return peers.Peer("careless", argv, where.environment(), "subscribed")

    async with Scene(TERMINALS, TERMINALS, make_peer=make_careless) as scene:
        await scene.join(TERMINALS)
        flow = await bench.measure_flow(scene, 2, 0.5)
    assert flow.commands > 2
    assert any("the PBX was asked" in problem for problem in flow.problems)


async def test_a_peer_that_cannot_be_had_is_said_to_be_missing(mosquitto):
    with pytest.raises(PeerMissing):
        async with Scene(TERMINALS, TERMINALS, make_peer=lambda folder, where: None):
            pytest.fail("there was no peer to start")


def test_the_flow_of_node_red_is_whole_and_has_no_secret_in_it(tmp_path, monkeypatch):
    packages = tmp_path / "build" / "node-red"
    packages.mkdir(parents=True)
    (packages / ".ready").touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("npm", "node"):
        (programs / name).touch(0o755)
    monkeypatch.setenv("PATH", str(programs))
    folder = tmp_path / "user"
    folder.mkdir()
    where = peers.Surroundings("phoneterm", 1, "bridge", 2, "ami", "hush", {}, 3)
    peer = peers.make_node_red(folder, where, packages.parent)
    flow = (folder / "flows.json").read_text()
    nodes = {node["id"]: node for node in json.loads(flow)}
    assert peer.argv[0] == str(programs / "node")
    assert "hush" not in flow
    assert nodes["in"]["topic"] == messages.topic_of("phoneterm", "+", messages.COMMAND)
    assert {target for node in nodes.values() for wires in node.get("wires", []) for target in wires} <= set(nodes)
