"""Work that is large comes to the event loop in pieces, so that a command that comes meanwhile need not wait for it."""

import asyncio
import socket
import sys

import pytest
from phoneterm.core import messages
from phoneterm_bridge.cli import bridge_app
from typer.testing import CliRunner

TERMINALS, MOST_IN_A_TURN = 100, 16


async def most_in_a_turn(work, count):
    """Do some work; return by how much a count has grown most within one turn of the event loop meanwhile."""
    doing, most, before = asyncio.create_task(work), 0, count()
    while not doing.done():
        await asyncio.sleep(0)
        most, before = max(most, count() - before), count()
    await doing
    return most


async def test_an_import_is_told_to_a_few_terminals_in_each_turn(scene):
    with scene.directory.gathered():
        for number in range(200, 200 + TERMINALS):
            scene.directory.add_extension(str(number), "tech1")
            scene.directory.add_terminal(f"phone-{number}", str(number))
    told = messages.topic_filters("phoneterm", "+")[0].split("+")[1].removesuffix("#") + "permissions"
    most = await most_in_a_turn(
        scene.bridge.refresh(), lambda: sum(topic.endswith(told) for topic, _, _ in scene.link.published)
    )
    assert 0 < most <= MOST_IN_A_TURN
    assert sum(topic.endswith(told) for topic, _, _ in scene.link.published) == TERMINALS


@pytest.fixture
def _switching():
    """Python's time between two threads is as before afterwards."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_switching")
def test_a_thread_that_computes_keeps_the_event_loop_waiting_for_a_moment_only(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {"broker.port": port, "store.path": tmp_path / "bridge.db", "pbx.kind": "asterisk"}
        words = ["run", *(f"--set={name}={value}" for name, value in settings.items())]
        result = CliRunner().invoke(bridge_app, words, env={"PHONETERM_PBX__SECRET": "s" * 16})
    assert result.exit_code == 1, result.output
    assert sys.getswitchinterval() < 0.001
