"""What the bridge subscribes to at a broker that is not its own: every terminal by itself, but not who floods."""

import asyncio

import pytest
from attack_lab.scenery.production_mosquitto import ProductionMosquitto
from attack_lab.scenery.raw_client import RawClient, publish
from bridge.clock import Clock
from phoneterm.core import messages
from phoneterm_bridge.mqtt import budget, packets
from phoneterm_bridge.mqtt.decoder import Decoder
from phoneterm_bridge.mqtt.inbound import MOST_DROPPED, Inbound
from phoneterm_bridge.mqtt.listening import ListeningToEach
from phoneterm_bridge.store.troubles import EXCESS

BASE, OWN = "phoneterm", "phoneterm/v1/t/BRIDGE/up/state"
FLOODER, OTHER = "phone-101", "phone-102"


class Site:
    """A listening with a connection that notes what it was told to change."""

    def __init__(self):
        self.clock = Clock(0.0)
        self.tids = [FLOODER, OTHER]
        self.changes = []
        self.listening = ListeningToEach(BASE, OWN, lambda: self.tids, self.clock)

    def connect(self):
        subscribed = self.listening.filters()
        self.listening.begin(self.note)
        return subscribed

    def note(self, is_more, filters):
        self.changes += [(is_more, one) for one in filters]

    def after(self, seconds):
        """Return what has changed when this time has passed."""
        self.changes.clear()
        self.clock.now_s += seconds
        self.listening.follow()
        return self.changes


@pytest.fixture
def site():
    return Site()


def filter_of(tid):
    return f"{BASE}/v1/t/{tid}/up/#"


def test_every_terminal_has_a_filter_and_so_has_the_bridge_itself(site):
    assert site.connect() == (OWN, filter_of(FLOODER), filter_of(OTHER))
    assert site.changes == []


def test_who_floods_is_left_at_once_and_heard_again_after_a_while(site):
    site.connect()
    site.listening.leave(FLOODER)
    assert site.changes == [(False, filter_of(FLOODER))]
    assert site.after(4.9) == []
    assert site.after(0.1) == [(True, filter_of(FLOODER))]
    assert site.after(0.1) == []


def test_who_floods_again_and_again_is_left_for_twice_as_long_each_time_up_to_five_minutes(site):
    site.connect()
    waits = []
    for _ in range(9):
        site.listening.leave(FLOODER)
        waits.append(0)
        while not site.after(1):
            waits[-1] += 1
    assert [wait + 1 for wait in waits] == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    site.after(600)
    site.listening.leave(FLOODER)
    assert site.after(5) == [(True, filter_of(FLOODER))]  # after ten quiet minutes it is forgotten


def test_a_new_terminal_is_heard_when_it_is_added_also_while_a_connection_begins(site):
    site.connect()
    site.listening.add(["phone-103"])
    assert site.changes == [(True, filter_of("phone-103"))]
    site.listening.end()
    site.changes.clear()
    site.listening.filters()
    site.tids.append("phone-104")
    site.listening.add(["phone-104"])
    assert site.changes == []
    site.listening.begin(site.note)
    assert site.changes == [(True, filter_of("phone-104"))]


def test_who_is_not_heard_stays_so_over_a_reconnect(site):
    site.connect()
    site.listening.leave(FLOODER)
    site.listening.end()
    assert site.connect() == (OWN, filter_of(OTHER))
    assert site.after(5) == [(True, filter_of(FLOODER))]


@pytest.mark.parametrize("name", ["+", "#", "phone-10+", "a/b"])
def test_a_name_that_could_be_a_wildcard_is_no_filter(site, name):
    site.tids.append(name)
    assert site.connect() == (OWN, filter_of(FLOODER), filter_of(OTHER))


def test_a_flood_is_told_once_a_second_until_it_is_no_longer_heard():
    clock, flooding = Clock(0.0), []
    inbound = Inbound(BASE, lambda *_: None, clock, flooding.append)
    topic = messages.topic_of(BASE, FLOODER, messages.TELEMETRY)
    for _ in range(budget.MESSAGES_IN_RESERVE + MOST_DROPPED - 1):
        inbound.takes(topic, 100)
    assert flooding == []
    for _ in range(1000):
        inbound.takes(topic, 100)
    assert flooding == [FLOODER]
    clock.now_s += 5
    assert not inbound.takes(topic, 100)  # it has no new reserve when it is heard again


def test_a_terminal_that_says_a_little_too_much_is_heard_all_the_time():
    clock, flooding = Clock(0.0), []
    inbound = Inbound(BASE, lambda *_: None, clock, flooding.append)
    topic = messages.topic_of(BASE, FLOODER, messages.TELEMETRY)
    for _ in range(6000):  # a minute at twice what it may say
        clock.now_s += 0.01
        inbound.takes(topic, 100)
    assert flooding == []
    assert inbound.dropped > 2000


def test_filters_are_asked_for_in_packets_that_a_mosquitto_with_our_files_takes():
    filters = [filter_of(f"phone-{number}") for number in range(1000)]
    groups = list(packets.split_filters(filters))
    assert [one for group in groups for one in group] == filters
    assert max(len(packets.subscribe(1, *group)) for group in groups) < messages.MAX_PAYLOAD_BYTES
    assert list(packets.split_filters(["x" * 1000])) == [["x" * 1000]]


def test_the_answer_to_unsubscribing_is_read():
    assert Decoder().feed(b"\xb0\x02\0\7") == [(packets.UNSUBACK, 7, "", b"", False)]


@pytest.fixture(params=["mosquitto", "mosquitto-2.0"])
async def crowd(request, tmp_path, need_part, make):
    """A bridge on a mosquitto, with the terminals phone-101 and phone-102."""
    mosquitto = ProductionMosquitto(need_part(request.param))
    scene = make.Scene(tmp_path, broker=mosquitto.settings)
    scene.directory.add_user("tech2", True)
    scene.directory.add_extension("102", "tech2")
    scene.other = scene.directory.add_terminal(OTHER, "102")
    mosquitto.write_config(scene.settings.store.path)
    await mosquitto.start()
    scene.mosquitto = mosquitto
    await scene.start()
    yield scene
    await scene.stop()
    await mosquitto.remove()


@pytest.mark.parametrize("kind", [messages.TELEMETRY, messages.COMMAND])
async def test_a_flood_at_a_mosquitto_is_no_longer_handed_to_the_bridge_and_others_work(crowd, make, kind):
    neighbour = await crowd.terminal(crowd.other)
    await neighbour.hello()
    client = await RawClient.open(crowd.bridge.broker_port)
    assert await client.log_in(crowd.enrolment, "c") == 0
    topic = messages.topic_of(BASE, FLOODER, kind)
    flooding = asyncio.create_task(client.flood(publish(topic, b'{"v":1,"uptime_s":1}\n' + b"0" * 32) * 50))
    await make.until(lambda: crowd.bridge.parts.troubles.has(FLOODER, EXCESS))
    await neighbour.hello()  # by then what was on its way has come
    dropped = crowd.bridge.parts.inbound.dropped
    for _ in range(20):
        assert await neighbour.hello()
    assert crowd.bridge.parts.inbound.dropped == dropped  # nothing of the flood comes any more
    assert not flooding.done()
    assert crowd.bridge.parts.health.link_losses == 0
    client.abort()
    await flooding
    terminal = await crowd.terminal()
    while not terminal.heard(messages.SESSION):  # it is heard again after some seconds
        await terminal.send(messages.HELLO, {"boot": "b001", "fw": "1", "board": "V", "wire": [1, 1], "caps": []})
        await asyncio.sleep(0.5)


async def connect_newly(crowd, enrolment):
    """Return a terminal with new secrets, once the broker knows them."""
    crowd.mosquitto.write_config(crowd.settings.store.path)
    crowd.mosquitto.reload()
    await crowd.bridge.refresh()
    code = None
    while code != 0:
        client = await RawClient.open(crowd.bridge.broker_port)
        code = await client.log_in(enrolment, "c")
        client.abort()
    return await crowd.terminal(enrolment)


async def test_a_terminal_that_is_not_heard_is_heard_at_once_when_it_has_new_secrets(crowd):
    crowd.bridge.parts.listening.leave(FLOODER)
    terminal = await connect_newly(crowd, crowd.directory.rotate_terminal(FLOODER))
    assert await terminal.hello()


async def test_a_terminal_that_is_added_while_the_bridge_runs_is_heard(crowd):
    terminal = await connect_newly(crowd, crowd.directory.add_terminal("phone-103", "102"))
    assert await terminal.hello()
