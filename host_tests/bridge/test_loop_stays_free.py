"""Work that is large comes to the event loop in pieces, so that a command that comes meanwhile need not wait for it."""

import asyncio
import os
import signal
from pathlib import Path

from bridge.running_bridge import RunningBridge
from phoneterm.core import messages
from phoneterm_bridge.web.counted_journal import BOUNDS_MS
from phoneterm_bridge.web.metrics import render

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


async def test_the_event_loop_turns_while_the_text_of_the_metrics_is_made():
    making = asyncio.create_task(render({}, [0] * (len(BOUNDS_MS) + 1), 0))
    turns = 0
    while not making.done():
        await asyncio.sleep(0)
        turns += 1
    metrics = [line for line in (await making).decode().splitlines() if line.startswith("# TYPE phoneterm_")]
    assert turns >= len(metrics) > 40


async def test_neither_a_thread_nor_the_garbage_of_the_start_keeps_a_running_bridge_waiting_for_long(tmp_path):
    path = f"{Path(__file__).with_name('told_pauses')}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    settings = (f"store.path={tmp_path / 'bridge.db'}", "broker.host=127.0.0.1", "pbx.secret=of the test")
    async with RunningBridge(*settings, environment={"PYTHONPATH": path}) as bridge:
        await bridge.event("bridge-runs")
        bridge.signal(signal.SIGTERM)
        assert await bridge.exit_code() == 0
        told = await bridge.event("pauses")
    assert told["switch_s"] < 0.001
    assert told["set_aside"] > 10_000
