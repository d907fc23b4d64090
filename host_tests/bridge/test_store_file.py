"""The store's file is replaced or removed under the running bridge: it says so, and sends no caller anywhere."""

import json

import pytest
from attack_lab.scenery.store_harm import REMOVING, REPLACING, move_folder, replace
from bridge.test_pages import readiness, with_pages
from bridge.test_process import Desk
from phoneterm.core import messages
from phoneterm_bridge.doctor.finding import OK, PROBLEM
from phoneterm_bridge.doctor.store import examine_store
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.store_file import describe_change

HARMS = [*REPLACING, *REMOVING]


@pytest.fixture
async def site(tmp_path, make):
    """A running bridge with its pages, on a link in memory, whose store is in a folder of its own."""
    site = await with_pages(make.Scene(tmp_path / "state")).start()
    yield site
    await site.stop()


@pytest.mark.parametrize("harm", HARMS)
async def test_no_transfer_is_opened_from_the_very_moment_on(site, harm):
    terminal = await site.terminal()
    await terminal.hello()
    assert await terminal.ask("blind", "102") == ("accepted", None)
    site.pbx.listener.on_progress("c1", "done", None)
    harm(site.settings.store.path)
    asked = list(site.pbx.asked)
    assert await terminal.ask("blind", "103") == ("rejected", "unavailable")
    assert site.pbx.asked == asked


@pytest.mark.parametrize("harm", HARMS)
async def test_readiness_and_doctor_say_it_in_the_same_sentence(site, make, harm):
    path = site.settings.store.path
    assert [one.verdict for one in examine_store(path)] == [OK, OK]
    await make.until(lambda: "store" not in site.bridge.parts.health.missing())
    harm(path)
    sentence = describe_change(path)
    assert (await readiness(site))[1]["missing"]["store"] == sentence
    if harm is not move_folder:  # a doctor that does not find the bridge's mark cannot know
        (finding,) = examine_store(path)
        assert (finding.verdict, finding.sentence) == (PROBLEM, sentence)


async def test_what_the_command_line_does_beside_the_bridge_is_no_change_of_the_file(site, make):
    path = site.settings.store.path
    for number in range(3):
        engine = open_store(path)
        Directory(engine, "test").add_user(f"late{number}")
        engine.dispose()
    await site.bridge.refresh()
    assert site.bridge.parts.store_file.look() is None


@pytest.fixture
async def desk(tmp_path, make):
    async with Desk(tmp_path, make) as desk:
        desk.proxy.is_to_hold = False
        yield desk


async def test_the_log_of_a_bridge_without_commands_says_it_once_and_a_restart_is_the_way_back(desk):
    replace(desk.store_path)
    said = await desk.bridge.event("store-file-changed")
    assert said["why"] == describe_change(desk.store_path)
    command_id = await desk.send_a_transfer()
    terminal = desk.terminal
    await desk.make.until(lambda: terminal.heard(messages.RESULT))
    (result,) = terminal.heard(messages.RESULT)
    assert (result["id"], result["state"], result["reason"]) == (command_id, "rejected", "unavailable")
    assert desk.bridge.events().count("store-file-changed") == 1
    await desk.bridge.__aexit__()
    desk.bridge = await type(desk.bridge)(*desk.settings(), f"broker.port={desk.port}").__aenter__()
    await desk.bridge.event("pbx-available")
    assert "store-file-changed" not in desk.bridge.events()
    assert json.loads(desk.store_path.with_name(desk.store_path.name + ".bridge.lock").read_text())[0][1] == (
        desk.store_path.stat().st_ino
    )
