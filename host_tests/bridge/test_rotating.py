"""New secrets for a terminal: the old ones become worthless, and nothing else changes."""

import pytest
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm.core import messages
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading

TID = "phone-101"


async def test_the_embedded_broker_cuts_the_terminal_off_and_takes_only_the_new_password(broker_scene, make):
    scene = broker_scene
    terminal = await scene.terminal()
    await terminal.hello()
    fresh = scene.directory.rotate_terminal(TID)
    await make.until(lambda: terminal.wire.is_lost)
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(scene.bridge.broker_port, TID, scene.enrolment.mqtt_password)
    assert await (await scene.terminal(fresh)).hello()


async def test_a_command_that_is_signed_with_the_old_key_is_refused(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.directory.rotate_terminal(TID)
    await scene.bridge.refresh()
    await terminal.send(messages.COMMAND, terminal.command())
    await make.until(lambda: scene.bridge.parts.router.refused["bad-signature"])
    assert scene.pbx.asked == []


async def test_a_command_of_the_session_from_before_is_refused_even_with_the_new_key(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    command = terminal.command()
    terminal.key = scene.directory.rotate_terminal(TID).mac_key
    await scene.bridge.refresh()
    await terminal.send(messages.COMMAND, command)
    await make.until(lambda: terminal.heard(messages.RESULT))
    assert terminal.heard(messages.RESULT)[-1]["reason"] == "bad-session"
    assert scene.pbx.asked == []


async def test_what_the_terminal_may_do_stays(scene):
    scene.directory.set_operation(TID, "blind", False)
    before = reading.read_snapshot(scene.engine).terminals[TID]
    scene.directory.rotate_terminal(TID)
    after = reading.read_snapshot(scene.engine).terminals[TID]
    assert after.secrets != before.secrets
    assert after.mosquitto_hash != before.mosquitto_hash
    assert (after.allows_blind, after.classes, after.extension) == (False, before.classes, "101")


async def test_a_revoked_terminal_gets_no_new_secrets(scene):
    scene.directory.revoke_terminal(TID)
    with pytest.raises(SetupProblem, match="revoked for good"):
        scene.directory.rotate_terminal(TID)


async def test_a_terminal_that_does_not_exist_gets_none_either(scene):
    with pytest.raises(SetupProblem, match="There is no terminal 'nobody'"):
        scene.directory.rotate_terminal("nobody")
