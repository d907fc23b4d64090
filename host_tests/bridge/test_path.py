"""The path of a command through the whole bridge, on a link in memory and through the embedded broker."""

from phoneterm.core import messages
from phoneterm_bridge.pbx.port import Outcome


async def test_hello_is_answered_with_session_permissions_config_and_call(any_scene):
    terminal = await any_scene.terminal()
    await terminal.hello()
    permissions = terminal.heard(messages.PERMISSIONS)[-1]
    assert permissions["multi_user_aware"]
    assert (permissions["blind"], permissions["attended"], permissions["classes"]) == (True, True, ["internal"])
    assert "internal:1xx" in terminal.heard(messages.CONFIG)[-1]["digit_map"]
    assert terminal.heard(messages.CALL)[-1] == {"v": 1, "state": "talking", "call": "c1", "reason": None}


async def test_a_blind_transfer_is_accepted_and_done(any_scene, make):
    terminal = await any_scene.terminal()
    await terminal.hello()
    assert await terminal.ask("blind", "102") == ("accepted", None)
    assert any_scene.pbx.asked == [("blind", "c1", "internal", "102")]
    any_scene.pbx.listener.on_progress("c1", "done", None)
    command_id = f"{terminal.session}.1"
    await make.until(lambda: terminal.results(command_id) == [("accepted", None), ("done", None)])


async def test_an_attended_transfer_goes_on_to_its_true_end(any_scene, make):
    terminal = await any_scene.terminal()
    await terminal.hello()
    assert await terminal.ask("attended", "102") == ("accepted", None)
    for state in ("ringing", "consulting", "ringing", "done", "failed"):
        any_scene.pbx.listener.on_progress("c1", state, None)
    states = [("accepted", None), ("ringing", None), ("consulting", None), ("done", None)]
    await make.until(lambda: terminal.results(f"{terminal.session}.1") == states)


async def test_a_failed_operation_ends_with_the_reason_of_the_pbx(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.pbx.outcome = Outcome("failed", "not-permitted-by-pbx")
    assert await terminal.ask("attended", "102") == ("failed", "not-permitted-by-pbx")


async def test_an_operation_without_an_answer_is_unknown_and_never_repeated(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.pbx.outcome = ConnectionResetError()
    assert await terminal.ask("blind", "102") == ("unknown", None)
    assert len(scene.pbx.asked) == 1
