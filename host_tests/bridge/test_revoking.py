"""A revoked terminal loses everything: on the embedded broker at once, on mosquitto with its next reload."""

import gmqtt
import pytest
from attack_lab.scenery.production_mosquitto import BRIDGE_PASSWORD, ProductionMosquitto
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm.core import messages

TID = "phone-101"
BOOT = "b001"


@pytest.fixture
def store(tmp_path, make):
    """A scene that is not started yet, with a second terminal, phone-102; (scene, that terminal's enrolment)."""

    def fill(**options):
        scene = make.Scene(tmp_path, **options)
        scene.directory.add_extension("102", "tech1")
        return scene, scene.directory.add_terminal("phone-102", "102")

    return fill


@pytest.fixture
async def embedded(store):
    """A scene on the embedded broker, and the other terminal's enrolment."""
    scene, other = store(is_embedded=True)
    await scene.start()
    yield scene, other
    await scene.stop()


@pytest.fixture
async def mosquitto(store, need_part):
    """A scene on mosquitto as `scene.mosquitto`, and the other terminal's enrolment."""
    broker = ProductionMosquitto(need_part("mosquitto"))
    scene, other = store(broker=broker.settings)
    scene.mosquitto = broker
    broker.write_config(scene.settings.store.path)
    await broker.start()
    await scene.start()
    yield scene, other
    await scene.stop()
    await broker.remove()


async def connect(scene):
    """Return phone-101, which has said hello and that it is online, and has a last will."""
    will = gmqtt.Message(topic(messages.STATE), encode_state("offline"), qos=1, retain=True)
    terminal = await scene.terminal(will_message=will)
    await terminal.wire.send(topic(messages.STATE), encode_state("online"), is_retained=True)
    await terminal.hello()
    return terminal


def topic(kind):
    return messages.topic_of("phoneterm", TID, kind)


def encode_state(word):
    return messages.encode(messages.STATE, topic(messages.STATE), None, {"boot": BOOT, "state": word})


async def revoke(scene, terminal, make):
    """Revoke it, and wait until the bridge has told it so."""
    scene.directory.revoke_terminal(TID)
    await make.until(lambda: terminal.wire.is_lost or terminal.heard(messages.PERMISSIONS)[-1] == "empty")


async def test_the_embedded_broker_cuts_it_off_and_keeps_it_out(embedded, make):
    scene, _ = embedded
    terminal = await connect(scene)
    await revoke(scene, terminal, make)
    await make.until(lambda: terminal.wire.is_lost)
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(scene.bridge.broker_port, TID, scene.enrolment.mqtt_password)


async def test_the_embedded_broker_keeps_nothing_of_it_not_even_its_last_will(embedded, make):
    scene, other = embedded
    terminal = await connect(scene)
    broker = scene.bridge.parts.broker
    await make.until(
        lambda: (
            {topic(kind) for kind in (messages.PERMISSIONS, messages.CONFIG, messages.STATE)} <= broker.retained_topics
        )
    )
    await revoke(scene, terminal, make)
    await make.until(lambda: scene.bridge.parts.router.refused["unknown-terminal"])  # the will has come
    await (await scene.terminal(other)).hello()
    await make.until(lambda: not [where for where in broker.retained_topics if TID in where])


async def test_on_mosquitto_its_commands_are_refused_at_once(mosquitto, make):
    scene, _ = mosquitto
    terminal = await connect(scene)
    await revoke(scene, terminal, make)
    await terminal.send(messages.COMMAND, terminal.command())
    await make.until(lambda: scene.bridge.parts.router.refused["unknown-terminal"])
    assert scene.pbx.asked == []
    assert not terminal.wire.is_lost


async def test_on_mosquitto_a_new_configuration_and_a_reload_cut_it_off_and_keep_it_out(mosquitto, make):
    scene, other = mosquitto
    terminal, neighbour = await connect(scene), await scene.terminal(other)
    await revoke(scene, terminal, make)
    scene.mosquitto.write_config(scene.settings.store.path)
    scene.mosquitto.reload()
    await make.until(lambda: terminal.wire.is_lost)
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(scene.bridge.broker_port, TID, scene.enrolment.mqtt_password)
    assert await neighbour.hello()
    assert not neighbour.wire.is_lost


async def test_on_mosquitto_nothing_of_it_is_kept_not_even_its_last_will(mosquitto, make):
    scene, other = mosquitto
    terminal = await connect(scene)
    await revoke(scene, terminal, make)
    terminal.wire.published.clear()
    await terminal.wire.subscribe(*messages.topic_filters("phoneterm", TID))
    await make.until(lambda: terminal.wire.published)
    assert [where for where, _, _ in terminal.wire.published] == [topic(messages.BRIDGE_STATE)]
    terminal.wire.cut()
    await make.until(lambda: scene.bridge.parts.router.refused["unknown-terminal"])  # the will has come
    neighbour = await scene.terminal(other)
    await neighbour.send(messages.STATE, {"boot": BOOT, "state": "online"}, is_retained=True)
    await neighbour.hello()
    await scene.bridge.stop()
    reader = make.MqttWire()
    await reader.connect(scene.bridge.broker_port, "bridge", BRIDGE_PASSWORD)
    await reader.subscribe(messages.bridge_filter("phoneterm"))
    await make.until(lambda: reader.published)
    assert [where for where, _, _ in reader.published] == [neighbour.topic(messages.STATE)]
    await reader.close()
    await scene.start()


async def test_a_bridge_that_was_away_when_it_was_revoked_clears_up_when_it_is_back(mosquitto, make):
    scene, _ = mosquitto
    terminal = await connect(scene)
    await scene.bridge.stop()
    scene.directory.revoke_terminal(TID)
    await scene.start()
    await make.until(lambda: terminal.heard(messages.PERMISSIONS)[-1] == "empty")
    assert terminal.heard(messages.CONFIG)[-1] == "empty"
