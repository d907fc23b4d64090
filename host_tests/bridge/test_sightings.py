"""What the bridge sees of terminals: `terminal list` shows it, from the running bridge or as it was last known."""

import json
import re
import time

import pytest
from phoneterm.core import messages
from phoneterm_bridge.cli.terminal import app as terminal_app
from phoneterm_bridge.store import sightings, tables
from phoneterm_bridge.store.owner import is_bridge_running
from typer.testing import CliRunner

_HELLO = {"boot": "b001", "fw": "0.1.0", "board": "ESP32_GENERIC", "wire": [1, 1], "caps": ["blind", "refusals"]}


def run(scene, *arguments):
    done = CliRunner().invoke(terminal_app, [*arguments, "--set", f"store.path={scene.settings.store.path}"])
    assert done.exit_code == 0, done.output
    return done.output


def listed(scene):
    (one,) = json.loads(run(scene, "list", "--json"))
    return one


async def come(scene, **changes):
    """Bring the terminal online, with a signal of -61 dBm."""
    terminal = await scene.terminal()
    await terminal.send(messages.HELLO, _HELLO | changes)
    await terminal.send(messages.TELEMETRY, {"uptime_s": 5, "rssi": -61})
    return terminal


async def test_a_terminal_that_is_online_is_listed_with_firmware_board_address_and_signal(broker_scene, make):
    scene = broker_scene
    assert (listed(scene)["is_online"], listed(scene)["seen_ms"]) == (False, None)
    assert " offline   never seen " in run(scene, "list")
    before_ms = time.time() * 1000
    await come(scene)
    await make.until(lambda: listed(scene)["rssi_dbm"] == -61)
    one = listed(scene)
    assert (one["is_online"], one["firmware"], one["board"], one["address"]) == (
        True, "0.1.0", "ESP32_GENERIC", "127.0.0.1",
    )  # fmt: skip
    assert before_ms - 1 <= one["seen_ms"] <= time.time() * 1000
    line = run(scene, "list").splitlines()[0]
    assert re.search(
        r" online +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ +0\.1\.0 +ESP32_GENERIC +127\.0\.0\.1 +-61 dBm ", line
    )
    assert "firmware          0.1.0, board ESP32_GENERIC" in run(scene, "show", "phone-101")


async def test_it_is_offline_at_once_and_the_rest_stays(scene):
    terminal = await come(scene)
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    await scene.bridge.refresh()
    one = listed(scene)
    assert (one["is_online"], one["firmware"], one["rssi_dbm"]) == (False, "0.1.0", -61)


async def test_without_a_bridge_nobody_knows_who_is_online_but_when_each_was_last_seen(scene):
    await come(scene)
    await scene.bridge.refresh()
    path = scene.settings.store.path
    assert is_bridge_running(path)
    await scene.bridge.stop()
    assert not is_bridge_running(path)
    one = listed(scene)
    assert (one["is_online"], one["firmware"]) == (None, "0.1.0")
    assert " no bridge " in run(scene, "list")
    assert "not known: no bridge is running" in run(scene, "show", "phone-101")
    await scene.bridge.start()
    await scene.bridge.refresh()
    assert listed(scene)["is_online"] is False  # until it says hello


async def test_a_terminal_that_only_goes_on_talking_is_not_written_each_time(scene):
    terminal = await come(scene)
    await scene.bridge.refresh()
    first = listed(scene)["seen_ms"]
    for uptime_s in range(6, 12):
        await terminal.send(messages.TELEMETRY, {"uptime_s": uptime_s, "rssi": -61})
        await scene.bridge.refresh()
    assert listed(scene)["seen_ms"] == first
    await scene.bridge.stop()
    assert listed(scene)["seen_ms"] > first  # the last thing that the bridge does
    await scene.bridge.start()


async def test_new_firmware_is_seen_with_the_next_hello(scene):
    await come(scene)
    await come(scene, boot="b002", fw="0.2.0")
    await scene.bridge.refresh()
    assert listed(scene)["firmware"] == "0.2.0"


async def test_who_looks_does_not_keep_a_bridge_from_starting(scene):
    await scene.bridge.stop()
    path = scene.settings.store.path
    for _ in range(20):
        assert not is_bridge_running(path)
    await scene.bridge.start()
    assert is_bridge_running(path)


async def test_a_removed_terminal_is_forgotten_and_a_new_one_of_its_name_was_never_seen(scene):
    await come(scene)
    await scene.bridge.refresh()
    scene.directory.remove_terminal("phone-101")
    await scene.bridge.refresh()
    assert json.loads(run(scene, "list", "--json")) == []
    scene.directory.add_terminal("phone-101", "101")
    await scene.bridge.refresh()
    assert listed(scene)["seen_ms"] is None
    assert scene.bridge.parts.sightings.all() == []


@pytest.mark.parametrize("count", [1, 300])
def test_any_number_of_sightings_is_written_and_read(make, tmp_path, count):
    scene = make.Scene(tmp_path)
    tids = ["phone-101", *(f"t{number}" for number in range(1, count))]
    with scene.engine.begin() as connection:
        for tid in tids[1:]:
            connection.execute(
                tables.terminals.insert().values(
                    tid=tid, extension="101", password_hash="", mac_key=b"", revoked=False, added_ms=0
                )
            )
    some = [sightings.Sighting(tid, True, 7, "b1", "1.0", "VIRTUAL", None, -61, 2) for tid in tids]
    sightings.write_all(scene.engine, [*some, some[0]._replace(tid="nobody")])
    sightings.write_all(scene.engine, some[:1])
    with scene.engine.connect() as connection:
        assert sorted(sightings.read_all(connection).values()) == sorted(some)
    scene.engine.dispose()
