"""One terminal must not hurt the others: what the embedded broker's door slows down, ends, and tells."""

import asyncio

import psutil
import pytest
from attack_lab.scenery.raw_client import RawClient, packet, publish, text
from bridge.test_line_watch import journalled
from phoneterm.core import messages
from phoneterm_bridge.broker.client_packet import most_bytes
from phoneterm_bridge.broker.doorkeeper import Doorkeeper
from phoneterm_bridge.mqtt.budget import TOO_MUCH
from phoneterm_bridge.store.troubles import EXCESS, TWICE

TID = "phone-101"


@pytest.fixture
async def crowd(broker_scene):
    """The scene with a second terminal, phone-102, that has said hello, as `scene.neighbour`."""
    broker_scene.directory.add_user("tech2", True)
    broker_scene.directory.add_extension("102", "tech2")
    broker_scene.other = broker_scene.directory.add_terminal("phone-102", "102")
    await broker_scene.bridge.refresh()
    broker_scene.neighbour = await broker_scene.terminal(broker_scene.other)
    await broker_scene.neighbour.hello()
    return broker_scene


def topic(kind, tid=TID):
    return messages.topic_of("phoneterm", tid, kind)


async def log_in(scene, client_id="c", **options):
    client = await RawClient.open(scene.bridge.broker_port)
    return client, await client.log_in(scene.enrolment, client_id, **options)


async def cut_off(scene, client):
    """Wait until a client is cut off; return why, as the trouble says, and assert that the rest goes on."""
    await client.wait_ended()
    client.abort()
    await scene.bridge.refresh()
    (trouble,) = scene.bridge.parts.troubles.standing()
    assert (trouble.tid, trouble.what) == (TID, EXCESS)
    assert journalled(scene.engine) == [f"slowed down or cut off: {trouble.detail}"]
    assert TID in scene.bridge.parts.health.troubled()[EXCESS]
    assert await scene.neighbour.hello()
    return trouble.detail


async def test_a_flood_is_cut_off_and_told_while_others_work_and_the_memory_stays(crowd):
    client, _ = await log_in(crowd)
    before = psutil.Process().memory_info().rss
    flooding = asyncio.create_task(client.flood(publish(topic(messages.TELEMETRY), b"x" * 200) * 20))
    while not flooding.done():
        assert await crowd.neighbour.hello()
        await asyncio.sleep(0.05)  # a user's pace, and no message of the flood is looked for meanwhile
    assert psutil.Process().memory_info().rss - before < 20_000_000
    assert await cut_off(crowd, client) == TOO_MUCH
    assert sum(crowd.bridge.parts.router.refused.values()) < 1000


async def test_a_flood_that_comes_back_waits_at_the_door(crowd):
    client, _ = await log_in(crowd)
    await client.flood(publish(topic(messages.TELEMETRY), b"x"))
    again = await RawClient.open(crowd.bridge.broker_port)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(again.log_in(crowd.enrolment, "d"), 2)
    again.abort()


async def test_a_message_with_qos_2_ends_the_connection_before_it_is_kept(crowd):
    client, _ = await log_in(crowd)
    client.send(publish(topic(messages.TELEMETRY), b"x" * 100, qos=2))
    assert "QoS 2" in await cut_off(crowd, client)


async def test_a_packet_that_the_contract_does_not_need_ends_the_connection_before_it_is_read(crowd):
    client, _ = await log_in(crowd)
    client.send(packet(0x30, b"")[:1] + b"\x80\x80\x01" + b"x" * 100)  # 16 KB are announced
    assert "16384 bytes" in await cut_off(crowd, client)


async def test_the_longest_message_of_the_contract_is_taken(crowd):
    terminal = await crowd.terminal()
    client, _ = await log_in(crowd)
    client.send(publish(topic(messages.TELEMETRY), b"x" * messages.MAX_PAYLOAD_BYTES, qos=1))
    assert (await asyncio.wait_for(client.reader.readexactly(4), 10))[0] == 0x40
    longest = max(len(topic(kind, "x" * messages.MAX_TID_CHARS)) for kind in messages.KINDS)
    assert most_bytes("phoneterm") == longest + 4 + messages.MAX_PAYLOAD_BYTES
    assert await terminal.hello()
    client.abort()


async def test_whoever_acknowledges_nothing_is_cut_off(crowd):
    terminal = await crowd.terminal(client_id="of the test")
    hello = {"boot": "b001", "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": []}
    payload = terminal.encode(messages.HELLO, hello)
    await terminal.wire.close()
    client, _ = await log_in(crowd)
    down = messages.topic_filters("phoneterm", TID)[0]
    client.send(packet(0x82, b"\0\1" + text(down) + b"\1"))
    reading = asyncio.create_task(client.wait_ended())
    while not reading.done():
        client.send(publish(topic(messages.HELLO), payload, qos=1))
        await asyncio.sleep(0.025)  # within its budget; each is answered with four messages
    assert "unacknowledged" in await cut_off(crowd, client)


@pytest.mark.parametrize(
    "octets",
    [
        publish("phoneterm/+", b"x") + b"",
        packet(0x30, b"\0\x40abc"),  # a topic that is longer than the packet
        packet(0x30, b"\0\1+" + publish(topic(messages.STATE), b"x", qos=2)),  # another packet in its middle
        packet(0x32, text("a") + b"\0\0"),
        packet(0x82, b"\0\1" + text("a") + b"\3"),
        packet(0x82, b"\0\1"),
        packet(0x40, b"\0\1\2"),
        packet(0x62, b"\0\1"),
        packet(0xC0, b"x"),
        packet(0x10, b""),
        packet(0xF0, b""),
    ],
)
async def test_what_is_no_packet_of_the_contract_ends_the_connection(crowd, octets):
    client, _ = await log_in(crowd)
    client.send(octets)
    assert await cut_off(crowd, client)


async def test_a_will_with_qos_2_is_refused_and_does_not_cut_off_the_bridge(crowd):
    client, code = await log_in(crowd, will_topic=topic(messages.STATE), will_qos=2)
    assert code == 5
    client.abort()
    assert await crowd.neighbour.hello()
    assert crowd.bridge.parts.health.link_losses == 0


async def test_nobody_is_granted_qos_2(crowd):
    client, _ = await log_in(crowd)
    client.send(packet(0x82, b"\0\1" + text(messages.topic_filters("phoneterm", TID)[0]) + b"\2"))
    assert await asyncio.wait_for(client.reader.readexactly(5), 10) == b"\x90\x03\0\1\1"
    client.abort()


async def test_whoever_subscribes_to_ever_more_filters_is_cut_off(crowd):
    client, _ = await log_in(crowd)
    own = messages.topic_filters("phoneterm", TID)[0].removesuffix("#")
    reading = asyncio.create_task(client.wait_ended())
    for number in range(200):
        client.send(packet(0x82, b"\0\1" + b"".join(text(f"{own}{number}/{part}") + b"\0" for part in range(8))))
        if reading.done():
            break
        await asyncio.sleep(0.025)  # within its budget
    assert reading.done()
    assert "filters" in await cut_off(crowd, client)


async def test_two_boards_with_one_client_id_are_told_and_slowed_down(crowd, make):
    clients = []
    for _ in range(5):
        client, code = await log_in(crowd, "same")
        assert code == 0
        clients.append(client)
    late = asyncio.create_task(log_in(crowd, "same"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(late), 1.5)
    assert not clients[-1].reader.at_eof()  # who is there stays meanwhile
    await crowd.bridge.refresh()
    assert crowd.bridge.parts.troubles.has(TID, TWICE)
    assert "two boards with one name" in crowd.bridge.parts.health.troubled()[TWICE]
    for client in (*clients, (await late)[0]):
        client.abort()
    assert await crowd.neighbour.hello()


async def test_one_that_waits_at_the_door_while_it_is_revoked_is_not_let_in(crowd):
    for _ in range(5):
        client, _ = await log_in(crowd, "same")
    late = asyncio.create_task(log_in(crowd, "same"))
    await asyncio.sleep(0.2)  # it waits for a second and longer
    crowd.directory.revoke_terminal(TID)
    await crowd.bridge.refresh()
    await client.wait_ended()
    assert (await late)[1] is None


async def test_waiting_connections_count_as_connections(crowd):
    for _ in range(6):
        await log_in(crowd, "same")
    late = [asyncio.create_task(log_in(crowd, "same")) for _ in range(8)]
    done, waiting = await asyncio.wait(late, timeout=1)
    assert [task.result()[1] for task in done] == [5] * len(done)
    assert len(waiting) <= 4
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_whoever_guesses_passwords_makes_nobody_at_another_address_wait_for_all_guesses(crowd):
    keeper = Doorkeeper(crowd.bridge.parts.directory, "BRIDGE", "x")
    guesses = [asyncio.create_task(keeper.admits(TID, f"guess {number}", "192.0.2.1")) for number in range(30)]
    await asyncio.sleep(0)  # all of them are there first
    assert await keeper.admits(TID, crowd.enrolment.mqtt_password, "192.0.2.2")
    assert sum(guess.done() for guess in guesses) <= 2
    for guess in guesses:
        guess.cancel()
    await asyncio.gather(*guesses, return_exceptions=True)
    keeper.close()
