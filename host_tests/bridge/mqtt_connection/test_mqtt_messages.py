"""What goes over the bridge's MQTT connection, with a broker that does what real ones do not."""

import asyncio
import contextlib
import os
import time

import pytest
import structlog
from attack_lab.scenery.waiting import until
from bridge.written_broker import AT_MOST_S, LET_IN, PUBLISH, message
from phoneterm_bridge.mqtt import packets, protocol
from phoneterm_bridge.mqtt.connection import Limits

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture:DeprecationWarning")


async def test_packets_that_come_byte_by_byte(broker):
    await broker.open(cut=1)
    await broker.say(message("t/x", b"one", 1) + message("t/y", b"x" * 300, 2), cut=1)
    assert [await broker.acknowledged(), await broker.acknowledged()] == [1, 2]
    assert broker.heard == [("t/x", b"one", False), ("t/y", b"x" * 300, False)]


async def test_flags_of_a_message(broker):
    await broker.open()
    flags = {0x3A: "again", 0x33: "retained", 0x3B: "both", 0x32: "neither"}
    await broker.say(b"".join(message("t/x", word.encode(), 9, first) for first, word in flags.items()))
    assert [await broker.acknowledged() for _ in flags] == [9, 9, 9, 9]
    assert [(payload, flag) for _, payload, flag in broker.heard] == [
        (b"again", False), (b"retained", True), (b"both", True), (b"neither", False),
    ]  # fmt: skip


async def test_a_message_is_acknowledged_when_its_receiver_has_returned_and_never_before(broker):
    begun, gates = [], {b"slow": asyncio.Event(), b"quick": asyncio.Event()}

    async def hear(_topic, payload, *_):
        begun.append(payload)
        await gates[payload].wait()

    broker.make_connection(hear=hear)
    gates[b"quick"].set()
    await broker.open()
    await broker.say(message("t/x", b"slow", 7) + message("t/x", b"quick", 8))
    assert await broker.acknowledged() == 8
    assert begun == [b"slow", b"quick"]
    gates[b"slow"].set()
    assert await broker.acknowledged() == 7


async def test_a_receiver_may_say_earlier_that_it_has_taken_a_message_and_says_so_once(broker):
    gate = asyncio.Event()

    async def hear(_topic, payload, _is_retained, acknowledge):
        acknowledge()
        if payload == b"long":
            await gate.wait()
            acknowledge()

    broker.make_connection(hear=hear)
    await broker.open()
    await broker.say(message("t/x", b"long", 7))
    assert await broker.acknowledged() == 7
    gate.set()
    await broker.say(message("t/x", b"short", 8))
    assert await broker.acknowledged() == 8


async def test_a_message_with_qos_0_is_not_acknowledged(broker):
    await broker.open()
    await broker.say(packets.publish("t/x", b"once", 0) + message("t/x", b"sure", 3))
    assert await broker.acknowledged() == 3
    assert [payload for _, payload, _ in broker.heard] == [b"once", b"sure"]


async def test_a_receiver_that_fails_leaves_its_message_unacknowledged_and_a_line(broker):
    async def hear(_topic, payload, *_):
        if payload == b"bad":
            raise ValueError("a mistake")

    broker.make_connection(hear=hear)
    await broker.open()
    with structlog.testing.capture_logs() as logged:
        await broker.say(message("t/x", b"bad", 4) + message("t/x", b"good", 5))
        assert await broker.acknowledged() == 5
    assert [(line["event"], line["error"]) for line in logged] == [("message-failed", "ValueError")]


async def test_a_receiver_goes_on_when_the_connection_is_lost(broker):
    gate, done = asyncio.Event(), asyncio.Event()

    async def hear(*_):
        await gate.wait()
        done.set()

    connection = broker.make_connection(hear=hear)
    await broker.open()
    await broker.say(message("t/x"))
    await broker.hang_up()
    await connection.wait_lost()
    await connection.close()
    gate.set()
    await done.wait()


async def test_acknowledgements_of_what_was_never_sent_are_ignored(broker):
    connection = await broker.open()
    assert connection.publish("a", b"1", False)
    _, number, _ = await broker.take_message()
    unknown = [one for one in (1, 2, 77, 65535) if one != number]
    await broker.say(b"".join(map(packets.acknowledge, unknown)) + b"\x90\x03\x00\x4d\x01" + packets.acknowledge(0))
    await broker.say(message("t/x", number=6))
    assert await broker.acknowledged() == 6
    assert connection.publish("a", b"2", True)
    assert (await broker.take_message())[2] == b"2"


async def test_a_packet_id_is_not_used_again_before_it_is_acknowledged(broker):
    connection = await broker.open()
    published, in_use = 0, set()
    for _ in range(3):
        count = 0
        while connection.publish("a", b"", False):
            count += 1
        numbers = [(await broker.take_message())[1] for _ in range(count)]
        assert not in_use.intersection(numbers)
        in_use.update(numbers)
        assert len(in_use) == len(set(numbers)) + published == protocol.MOST_UNACKNOWLEDGED >= 40000
        taken = {number for number in in_use if number % 3}
        in_use -= taken
        published = len(in_use)
        await broker.say(b"".join(map(packets.acknowledge, taken)) + message("t/x", number=5))
        assert await broker.acknowledged() == 5  # so that everything before it has been read


@pytest.mark.parametrize("does_take_later", [True, False])
async def test_a_peer_that_takes_no_data(broker, does_take_later):
    broker.make_connection(limits=Limits(most_waiting_bytes=1_000_000))
    connection = await broker.open()
    count, payload = 0, bytes(50_000)
    while connection.publish("a", payload, False):
        count += 1
        await asyncio.sleep(0)  # messages of one turn leave at its end
    assert count > 20
    if does_take_later:
        for _ in range(count):
            assert (await broker.take_message())[2] == payload
        await until(lambda: connection.publish("a", b"again", False))
        assert (await broker.take_message())[2] == b"again"
        return
    started_s = time.monotonic()
    await connection.close()
    assert time.monotonic() - started_s < AT_MOST_S


class Wire:
    """A transport that keeps each write."""

    def __init__(self):
        self.written = []
        self.write = self.written.append

    def is_closing(self):
        return False

    def set_write_buffer_limits(self, most_bytes):
        pass


async def test_what_one_turn_of_the_event_loop_writes_leaves_in_one_piece(broker):
    wire = Wire()

    async def hear(*_): ...

    one = protocol.MqttProtocol(b"", 0, hear)
    one.connection_made(wire)
    one.data_received(LET_IN + message("t/x", number=8) + message("t/x", number=9))
    assert one.publish("a", b"1")
    assert one.publish("a", b"2")
    await until(lambda: wire.written)
    assert wire.written == [
        packets.publish("a", b"1", 1) + packets.publish("a", b"2", 2) + packets.acknowledge(8) + packets.acknowledge(9)
    ]


async def test_a_flood_that_nobody_hears_is_read_in_pieces_and_the_event_loop_turns_between_them(broker):
    one, dropped = message("t/flood", bytes(100), 0, PUBLISH), 0

    def drop(_topic, _octets):
        nonlocal dropped
        dropped += 1
        return False

    broker.make_connection(takes=drop)
    await broker.open()
    _, writer = await broker._came
    descriptor, said, flood = writer.get_extra_info("socket").fileno(), 0, one * 20_000
    with contextlib.suppress(BlockingIOError):  # as much as fits between the two, before anything is read
        while said < len(flood):
            said += os.write(descriptor, flood[said : said + 65536])
    most = before = 0
    while dropped < said // len(one):
        await asyncio.sleep(0)
        most, before = max(most, dropped - before), dropped
    assert said > 2 * 256 * 1024
    assert most * len(one) <= 256 * 1024 + len(one)  # what is read at once, on either event loop
