"""The bridge on a real mosquitto: the whole path, no backlog, and a broker that is killed and comes back."""

import asyncio
import shutil
import subprocess

import pytest
from lab_parts.free_port import free_port
from phoneterm.core import messages
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BrokerSettings


class Mosquitto:
    """A mosquitto on a free loopback port."""

    def __init__(self, part):
        self._part = part
        self.folder = part.make_folder()
        self.port = free_port()
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        self._argv = [*part.argv, "-c", part.inside(config)]
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(params=["mosquitto", "mosquitto-2.0"])
def mosquitto(need_part, request):
    """A running mosquitto."""
    broker = Mosquitto(need_part(request.param))
    broker.start()
    yield broker
    broker.kill()
    shutil.rmtree(broker.folder)


@pytest.fixture
async def scene(tmp_path, make, mosquitto):
    """A bridge on mosquitto, and a connected terminal as `scene.phone`."""
    scene = make.Scene(tmp_path)
    settings = BrokerSettings(embedded=False, port=mosquitto.port, keepalive_s=5)
    scene.settings = scene.settings.model_copy(update={"broker": settings})
    scene.pbx = make.FakePbx()
    await start_bridge(scene, make)
    scene.phone = await connect(scene, make, mosquitto)
    yield scene
    await scene.bridge.stop()
    scene.engine.dispose()
    if not scene.phone.wire.is_lost:
        await scene.phone.wire.close()


async def start_bridge(scene, make):
    scene.bridge = Bridge(scene.settings, scene.pbx)
    await scene.bridge.start()
    await make.until(lambda: scene.bridge.is_link_up)


async def connect(scene, make, mosquitto):
    wire = make.MqttWire()
    await wire.connect(mosquitto.port, "phone-101", scene.enrolment.mqtt_password)
    await wire.subscribe(*messages.topic_filters("phoneterm", "phone-101"))
    return make.FakeTerminal(wire, "phone-101", scene.enrolment.mac_key)


def bridge_states(phone):
    topic = messages.topic_of("phoneterm", "", messages.BRIDGE_STATE)
    payloads = [payload for where, payload, _ in phone.wire.published if where == topic]
    return [messages.decode(messages.BRIDGE_STATE, topic, None, payload)["state"] for payload in payloads]


async def test_the_whole_path_works_and_offline_is_said(scene, make):
    await scene.phone.hello()
    assert await scene.phone.ask() == ("accepted", None)
    await scene.bridge.stop()
    await make.until(lambda: bridge_states(scene.phone) == ["online", "offline"])


async def test_a_will_that_the_broker_says_late_does_not_leave_terminals_without_a_bridge(scene, make, mosquitto):
    await scene.phone.hello()
    topic = messages.topic_of("phoneterm", "", messages.BRIDGE_STATE)
    offline = messages.encode(messages.BRIDGE_STATE, topic, None, {"state": "offline"})
    await scene.phone.wire.send(topic, offline, is_retained=True)
    await make.until(lambda: bridge_states(scene.phone) == ["online", "offline", "online"])
    later = await connect(scene, make, mosquitto)
    await make.until(lambda: bridge_states(later) == ["online"])
    await later.wire.close()


async def test_a_command_sent_while_the_bridge_is_away_is_never_delivered(scene, make):
    await scene.phone.hello()
    late = scene.phone.command()
    await scene.bridge.stop()
    await scene.phone.send(messages.COMMAND, late)
    await scene.phone.send(messages.COMMAND, late, is_retained=True)
    await start_bridge(scene, make)
    await scene.phone.hello()
    assert await scene.phone.ask("blind", "103") == ("accepted", None)
    assert [asked[3] for asked in scene.pbx.asked] == ["103"]
    assert scene.phone.results(late["id"]) == []


async def test_a_message_that_is_far_too_long_and_stays_at_the_broker_is_refused_and_no_more(scene, make):
    await scene.phone.wire.send(scene.phone.topic(messages.STATE), b"x" * 300_000, is_retained=True)
    await make.until(lambda: scene.bridge.parts.router.refused == {"too-long": 1})
    for again in (False, True):
        if again:
            await scene.bridge.stop()
            await start_bridge(scene, make)
            await make.until(lambda: scene.bridge.parts.router.refused == {"too-long": 1})
        await scene.phone.hello()
        assert await scene.phone.ask() == ("accepted", None)
    assert scene.bridge.is_link_up


async def test_the_bridge_is_back_after_mosquitto_was_killed_twice(scene, make, mosquitto):
    for round_number in (1, 2):
        mosquitto.kill()
        await make.until(lambda: not scene.bridge.is_link_up)
        mosquitto.start()
        await make.until(lambda: scene.bridge.is_link_up)
        scene.phone = await connect(scene, make, mosquitto)
        await scene.phone.hello()
        scene.pbx.change_calls("101", make.talking(f"c{round_number}"))
        assert await scene.phone.ask(call=None) == ("accepted", None)


async def test_a_bridge_without_its_broker_waits_and_says_so_once(tmp_path, make, capfd):
    scene = make.Scene(tmp_path)
    settings = BrokerSettings(embedded=False, port=9)
    bridge = Bridge(scene.settings.model_copy(update={"broker": settings}), make.FakePbx())
    await bridge.start()
    logged = ""
    while "broker-away" not in logged:
        await asyncio.sleep(0.01)
        logged += capfd.readouterr().out
    await asyncio.sleep(0.5)
    await bridge.stop()
    logged += capfd.readouterr().out
    assert logged.count("broker-away") == 1
    assert "connection refused" in logged
    scene.engine.dispose()
