"""Every change of permissions, whoever made it, reaches a running terminal, with a rising revision."""

import asyncio
import subprocess
import sys

from phoneterm.core import messages


def revisions(terminal):
    return [document["rev"] for document in terminal.heard(messages.PERMISSIONS)]


async def test_a_permission_granted_and_taken_while_the_terminal_runs_counts_at_once(any_scene, make):
    terminal = await any_scene.terminal()
    await terminal.hello()
    for is_allowed, answer in ((False, ("rejected", "permission")), (True, ("accepted", None))):
        any_scene.directory.set_multi_user_aware("tech1", is_allowed)
        await make.until(lambda expected=is_allowed: permitted(terminal) is expected)
        assert await terminal.ask() == answer
    assert revisions(terminal) == sorted(set(revisions(terminal)))


async def test_a_change_made_by_another_process_is_noticed_by_itself(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    code = "from phoneterm_bridge.cli import user_app; user_app()"
    store = f"store.path={scene.settings.store.path}"
    command = [sys.executable, "-c", code, "deny", "tech1", "--set", store]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=60)
    await make.until(lambda: permitted(terminal) is False)


async def test_operations_and_classes_are_pushed_too(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.directory.set_operation("phone-101", "blind", False)
    scene.directory.set_classes("phone-101", ("internal", "national"))
    await make.until(lambda: terminal.heard(messages.PERMISSIONS)[-1]["classes"] == ["internal", "national"])
    assert terminal.heard(messages.PERMISSIONS)[-1]["blind"] is False


async def test_permissions_and_config_are_retained_and_nothing_else_is(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.ask()
    retained = {topic for topic, _, is_retained in scene.link.published if is_retained}
    expected = {terminal.topic(kind) for kind in (messages.PERMISSIONS, messages.CONFIG, messages.BRIDGE_STATE)}
    assert retained == expected


async def test_revoking_clears_what_is_retained_and_ends_the_session(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.directory.revoke_terminal("phone-101")
    await make.until(lambda: terminal.heard(messages.PERMISSIONS)[-1] == "empty")
    assert terminal.heard(messages.CONFIG)[-1] == "empty"
    command = terminal.command()
    await terminal.send(messages.COMMAND, command)
    assert terminal.results(command["id"]) == []
    assert scene.pbx.asked == []


async def test_a_terminal_is_told_nothing_about_a_change_that_is_not_its_own(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    before = revisions(terminal)
    scene.directory.add_user("tech9")
    await scene.bridge.refresh()
    assert revisions(terminal) == before


async def test_a_change_made_while_the_link_was_down_is_told_when_it_is_back(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.link.publish, publish = lambda *_: False, scene.link.publish
    scene.directory.set_multi_user_aware("tech1", False)
    await scene.bridge.refresh()
    scene.link.publish = publish
    assert permitted(terminal) is True
    scene.bridge.events.on_link(True)
    assert permitted(terminal) is False


async def test_the_revision_of_the_config_rises_when_the_config_changes(tmp_path, make):
    scene, found = make.Scene(tmp_path), []
    for digit_ms in (3000, 3000, 4000):
        phones = scene.settings.phones.model_copy(update={"digit_ms": digit_ms})
        scene.settings = scene.settings.model_copy(update={"phones": phones})
        await scene.start()
        terminal = await scene.terminal()
        await terminal.hello()
        found.append(terminal.heard(messages.CONFIG)[-1]["rev"])
        await scene.bridge.stop()
    scene.engine.dispose()
    assert found == [1, 1, 2]


def permitted(terminal):
    return terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"]
