"""After the PBX has accepted: results only go forward, calls are reported, and silence ends as unknown."""

import pytest
from phoneterm.core import messages
from phoneterm_bridge.settings.timing import Timing


def told(terminal):
    return [(call["state"], call["call"]) for call in terminal.heard(messages.CALL)]


async def test_every_change_of_the_call_is_told_once(scene, terminal, make):
    for calls in (
        (),
        (make.talking("c2", state="ringing"),),
        (make.talking("c2", state="ringing"),),
        (make.talking("c2"),),
        (make.talking("c2", state="held"),),
        (make.talking("c2", state="consulting"),),
        (make.talking("c2", state="elsewhere"),),
    ):
        scene.pbx.change_calls("101", *calls)
    assert told(terminal) == [
        ("talking", "c1"),
        ("idle", None),
        ("ringing", "c2"),
        ("talking", "c2"),
        ("consulting", "c2"),
        ("idle", None),
    ]


async def test_of_two_live_calls_no_reference_is_told(scene, terminal, make):
    scene.pbx.change_calls("101", make.talking("c1"), make.talking("c2"))
    assert told(terminal)[-1] == ("talking", None)


async def test_a_terminal_without_a_session_is_told_nothing_of_its_calls(scene):
    terminal = await scene.terminal()
    scene.pbx.change_calls("101")
    assert told(terminal) == []


async def test_progress_that_comes_before_the_answer_is_not_undone_by_it(scene, terminal, make):
    scene.pbx.answering.clear()
    fields = terminal.command("attended", "102")
    await terminal.send(messages.COMMAND, fields)
    await make.until(lambda: scene.pbx.asked)
    for state in ("ringing", "done"):
        scene.pbx.listener.on_progress("c1", state, None)
    scene.pbx.answering.set()
    assert await terminal.ask("blind", "103") != ("rejected", "busy-transferring")
    assert terminal.results(fields["id"]) == [("ringing", None), ("done", None)]


async def test_progress_of_a_call_nobody_follows_is_ignored(scene, terminal):
    scene.pbx.listener.on_progress("c9", "done", None)
    assert terminal.heard(messages.RESULT) == []


@pytest.mark.parametrize("reason", ["busy", "no-answer", "refused-by-target", "unavailable", "caller-gone"])
async def test_the_reason_of_the_pbx_reaches_the_terminal(scene, terminal, reason):
    await terminal.ask("attended", "102")
    scene.pbx.listener.on_progress("c1", "returned", reason)
    assert terminal.results(f"{terminal.session}.1")[-1] == ("returned", reason)


@pytest.fixture
async def impatient_scene(tmp_path, make):
    """A bridge that does not wait long for news about a call that is gone."""
    scene = await make.Scene(tmp_path, timing=Timing(silence_s=0.05)).start()
    yield scene
    await scene.stop()


async def test_a_transfer_whose_call_is_gone_without_a_word_ends_as_unknown(impatient_scene, make):
    scene = impatient_scene
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.ask("blind", "102")
    scene.pbx.change_calls("101")
    await make.until(lambda: terminal.results(f"{terminal.session}.1")[-1] == ("unknown", None))


async def test_a_call_that_comes_back_is_followed_on(impatient_scene, make):
    scene = impatient_scene
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.ask("attended", "102")
    scene.pbx.change_calls("101")
    scene.pbx.change_calls("101", make.talking("c1"))
    assert scene.bridge.parts.running_commands.count == 1
    scene.pbx.listener.on_progress("c1", "done", None)
    assert terminal.results(f"{terminal.session}.1")[-1] == ("done", None)


async def test_what_did_not_outlive_the_loss_of_the_pbx_is_unknown_at_once_and_the_rest_is_followed(
    scene, terminal, make
):
    await terminal.ask("attended", "102")
    scene.pbx.now["101"] = (make.talking("c1", state="consulting"),)
    scene.pbx.listener.on_availability(True)
    assert terminal.results(f"{terminal.session}.1") == [("accepted", None)]
    scene.pbx.now["101"] = (make.talking("c1"),)
    scene.pbx.listener.on_availability(True)
    assert terminal.results(f"{terminal.session}.1")[-1] == ("unknown", None)
    assert await terminal.ask("blind", "103") == ("accepted", None)


async def test_an_arrival_nobody_was_sent_for_is_ignored(scene, terminal):
    scene.pbx.listener.on_arrival("c9", "not-answered", "busy")
    assert terminal.heard(messages.RESULT) == []


async def test_the_next_call_can_be_transferred_while_the_last_blind_transfer_still_rings(scene, terminal, make):
    await terminal.ask("blind", "102")
    scene.pbx.change_calls("101", make.talking("c2"))
    assert await terminal.ask("blind", "103", call="c2") == ("accepted", None)


async def test_the_bridge_says_when_the_pbx_is_away_and_back(scene):
    topic = messages.topic_of("phoneterm", "", messages.BRIDGE_STATE)

    def states():
        payloads = [payload for where, payload, _ in scene.link.published if where == topic]
        return [messages.decode(messages.BRIDGE_STATE, topic, None, payload)["state"] for payload in payloads]

    for is_available in (False, True):
        scene.pbx.is_available = is_available
        scene.pbx.listener.on_availability(is_available)
    assert states()[-3:] == ["online", "degraded", "online"]
    await scene.bridge.stop()
    assert states()[-1] == "offline"
