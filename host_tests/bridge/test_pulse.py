"""The pulse through real brokers, and a broker that is connected but deaf: it is noticed, and the link reconnects."""

import asyncio

import pytest
from attack_lab.scenery.production_mosquitto import ProductionMosquitto
from phoneterm.core import messages
from phoneterm_bridge.mqtt.pulse import PULSE_NAME, Pulse
from phoneterm_bridge.settings.timing import Timing


class _Link:
    """A link that returns what is published, unless it is deaf."""

    def __init__(self):
        self.is_deaf = False
        self.pulse = None
        self.reconnects = 0
        self.said = []

    def publish(self, topic, payload, is_retained):
        assert not is_retained
        self.said.append(payload)
        if not self.is_deaf:
            asyncio.get_running_loop().call_soon(self.pulse.takes, topic, payload)
        return True

    def reconnect(self):
        self.reconnects += 1


async def run_pulse(link):
    link.pulse = Pulse(link, "phoneterm", every_s=0.01, deadline_s=0.05)
    return link.pulse, asyncio.create_task(link.pulse.run())


async def test_a_pulse_comes_back_through_the_embedded_broker(broker_scene, make):
    await make.until(lambda: broker_scene.bridge.parts.pulse.is_heard)
    assert broker_scene.bridge.parts.pulse.round_trip_s > 0
    assert broker_scene.bridge.parts.router.refused == {}


@pytest.fixture
async def quick_scene(tmp_path, make):
    """A running bridge with the embedded broker, and many pulses a second."""
    scene = await make.Scene(tmp_path, is_embedded=True, timing=Timing(pulse_every_s=0.02)).start()
    yield scene
    await scene.stop()


async def test_no_terminal_hears_a_pulse_and_none_can_say_one(quick_scene, make):
    spy = await quick_scene.terminal()
    topic = messages.topic_of("phoneterm", PULSE_NAME, messages.STATE)
    spy.wire.ask_for(topic)
    await spy.wire.send(topic, b"not a pulse")
    pulse = quick_scene.bridge.parts.pulse
    for _ in range(2):  # the first one may already have been on its way
        heard_s = pulse.round_trip_s
        await make.until(lambda heard_s=heard_s: pulse.round_trip_s != heard_s)
    await spy.hello()
    assert topic not in {where for where, _, _ in spy.wire.published}
    assert quick_scene.bridge.parts.router.refused == {}


async def test_a_pulse_needs_the_link(make):
    link = _Link()
    pulse, running = await run_pulse(link)
    assert not pulse.is_heard
    pulse.on_link(True)
    await make.until(lambda: pulse.is_heard)
    pulse.on_link(False)
    assert not pulse.is_heard
    assert pulse.missed == 0
    running.cancel()


async def test_a_deaf_link_is_made_anew_and_heard_again(make):
    link = _Link()
    pulse, running = await run_pulse(link)
    pulse.on_link(True)
    await make.until(lambda: pulse.is_heard)
    link.is_deaf = True
    await make.until(lambda: pulse.missed == 1)
    assert not pulse.is_heard
    assert pulse.deaf_since_s is not None
    await make.until(lambda: link.reconnects == 1)
    assert pulse.missed == 2
    link.is_deaf = False
    pulse.on_link(False)
    pulse.on_link(True)
    await make.until(lambda: pulse.is_heard)
    assert pulse.deaf_since_s is None
    running.cancel()


async def test_a_wrong_or_an_old_word_is_no_pulse(make):
    link = _Link()
    link.is_deaf = True
    pulse, running = await run_pulse(link)
    pulse.on_link(True)
    await make.until(lambda: link.said)
    topic = messages.topic_of("phoneterm", PULSE_NAME, messages.STATE)
    old = link.said[-1]
    assert pulse.takes(topic, b"")
    assert not pulse.takes("phoneterm/v1/t/phone-101/up/state", old)
    await make.until(lambda: link.said[-1] != old)
    assert pulse.takes(topic, old)
    await make.until(lambda: pulse.missed >= 2)
    assert not pulse.is_heard
    running.cancel()


async def test_a_real_link_that_is_told_to_comes_back(broker_scene, make):
    bridge = broker_scene.bridge
    await make.until(lambda: bridge.parts.pulse.is_heard)
    bridge.parts.link.reconnect()
    await make.until(lambda: bridge.parts.health.link_losses == 1)
    await make.until(lambda: bridge.is_link_up and bridge.parts.pulse.is_heard)
    terminal = await broker_scene.terminal()
    await terminal.hello()
    assert await terminal.ask() == ("accepted", None)


@pytest.fixture
async def mosquitto_scene(tmp_path, need_part, make):
    """A bridge on a real mosquitto with the rules from `phoneterm broker config`."""
    mosquitto = ProductionMosquitto(need_part("mosquitto"))
    timing = Timing(pulse_every_s=0.05, pulse_deadline_s=0.5)
    scene = make.Scene(tmp_path, broker=mosquitto.settings, timing=timing)
    mosquitto.write_config(scene.settings.store.path)
    await mosquitto.start()
    scene.mosquitto = mosquitto
    await scene.start()
    yield scene
    await scene.stop()
    await mosquitto.remove()


async def test_a_mosquitto_that_brings_nothing_any_more_is_noticed_although_it_is_connected(mosquitto_scene, make):
    """Somebody removes the bridge's line from the rules: mosquitto keeps the subscription and delivers nothing."""
    bridge, mosquitto = mosquitto_scene.bridge, mosquitto_scene.mosquitto
    pulse = bridge.parts.pulse
    await make.until(lambda: pulse.is_heard)
    rules = mosquitto.folder / "phoneterm.access"
    right = rules.read_text()
    rules.write_text(right.replace(f"topic read {messages.bridge_filter('phoneterm')}\n", ""))
    mosquitto.reload()
    await make.until(lambda: pulse.missed >= 1)
    assert "no message" in bridge.parts.health.missing()["broker"]
    rules.write_text(right)
    mosquitto.reload()
    await make.until(lambda: pulse.is_heard and not bridge.parts.health.missing())
