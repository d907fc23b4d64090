"""Shared by the bridge's tests: a small but realistic PBX, link and terminals, and a bridge with them."""

import pytest
from attack_lab.scenery.fake_pbx import FakePbx, talking
from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.memory_link import MemoryLink
from attack_lab.scenery.mqtt_wire import MqttWire
from attack_lab.scenery.scene import Scene
from attack_lab.scenery.waiting import until
from phoneterm_cli.main import make_app
from typer.testing import CliRunner


@pytest.fixture
def phoneterm(tmp_path, monkeypatch):
    """Run one command in an empty folder, as words; returns what it printed, and asserts its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*words, exit_code=0, answer=None):
        result = CliRunner().invoke(make_app((words[0],)), words, input=answer)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


async def refused(scene, terminal, op="blind", number="102", **changes):
    """Return the reason a command is refused for; the PBX must not have been asked."""
    state, reason = await terminal.ask(op, number, **changes)
    assert state == "rejected"
    assert scene.pbx.asked == []
    return reason


@pytest.fixture
async def scene(tmp_path):
    """A running bridge on a link in memory."""
    scene = await Scene(tmp_path).start()
    yield scene
    await scene.stop()


@pytest.fixture
async def terminal(scene):
    """A terminal that said hello."""
    terminal = await scene.terminal()
    await terminal.hello()
    return terminal


@pytest.fixture
async def broker_scene(tmp_path):
    """A running bridge with the embedded broker."""
    scene = await Scene(tmp_path, is_embedded=True).start()
    yield scene
    await scene.stop()


@pytest.fixture(params=["link in memory", "embedded broker"])
async def any_scene(request, tmp_path):
    """A running bridge, once on a link in memory and once with the embedded broker."""
    scene = await Scene(tmp_path, is_embedded=request.param == "embedded broker").start()
    yield scene
    await scene.stop()


@pytest.fixture
def make():
    """The classes and functions of the scenery, for tests that build their own scene."""
    return type(
        "Make", (), {"Scene": Scene, "MqttWire": MqttWire, "FakeTerminal": FakeTerminal, "FakePbx": FakePbx,
                     "MemoryLink": MemoryLink, "talking": staticmethod(talking), "until": staticmethod(until)},
    )  # fmt: skip
