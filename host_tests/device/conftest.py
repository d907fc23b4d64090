"""Shared by the device tests: stories on the MicroPython VM, real brokers and a broker that misbehaves on demand."""

import pytest
from device.fake_broker import FakeBroker
from device.real_brokers import BASE, PASSWORD, TID, BridgeWire, Embedded, bridge_login, make_mosquitto
from device.vm_story import VmStory
from phoneterm.core import messages


@pytest.fixture(params=["mosquitto", "mosquitto-2.0", "embedded broker"])
async def broker(request, need_part):
    """A running real broker; every test with it runs on all of them."""
    broker = Embedded() if request.param == "embedded broker" else make_mosquitto(need_part(request.param))
    await broker.start()
    yield broker
    await broker.remove()


@pytest.fixture
async def embedded_broker():
    """The bridge's embedded broker, for what mosquitto does not do."""
    broker = Embedded()
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def bridge_wire(broker):
    """The bridge's own connection to the broker."""
    wire = BridgeWire()
    await wire.connect(broker.port, *bridge_login(broker))
    yield wire
    await wire.close()


@pytest.fixture
async def fake_broker():
    """Return a coroutine that starts a broker with the given scripts; the test fails if a script fails."""
    brokers = []

    async def start(*scripts):
        broker = FakeBroker(scripts)
        await broker.start()
        brokers.append(broker)
        return broker

    yield start
    for broker in brokers:
        await broker.stop()
        assert not broker.errors


@pytest.fixture
async def tell():
    """Return a coroutine that runs a story against the broker on a port, with options of the client.

    The story is one of `vm_modules/mqtt_stories.py`; `arguments` are its own.
    """
    stories = []

    async def start(port, story, *arguments, **options):
        options = {
            "host": "127.0.0.1", "port": port, "tid": TID, "password": PASSWORD,
            "filters": messages.topic_filters(BASE, TID),
        } | options  # fmt: skip
        stories.append(await VmStory.start(story, arguments, options))
        return stories[-1]

    yield start
    for story in stories:
        await story.stop()
