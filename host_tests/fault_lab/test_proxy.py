"""The fault proxy, each fault against a scripted peer on both sides."""

import asyncio
import time

import pytest
from fault_lab.faults import DOWN, UP, Fault
from fault_lab.mqtt_stream import MOST_PACKET_BYTES, PacketCutter, StreamBroken
from phoneterm.device import mqtt_packets as packets

HELLO = packets.publish("t/up/hello", b"hello", 1, False, 1)
COMMAND = packets.publish("t/up/command", b"one", 1, False, 2)
NEXT = packets.publish("t/up/command", b"two", 1, False, 3)
PLAIN = packets.publish("t/up/telemetry", b"zero", 0, False, 0)


async def test_without_faults_packets_pass_both_ways_and_a_close_is_passed_on(pair):
    client, broker = await pair.join()
    client.send(HELLO + COMMAND)
    await broker.until_received(HELLO + COMMAND)
    broker.send(packets.puback(1))
    await client.until_received(packets.puback(1))
    broker.writer.close()
    await client.until_closed()


async def test_a_packet_passes_only_once_it_is_whole(pair):
    client, broker = await pair.join()
    client.send(COMMAND[:7])
    client.send(COMMAND[7:] + NEXT[:3])
    await broker.until_received(COMMAND)


async def test_drop_loses_one_packet_and_the_connection_goes_on(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("drop", UP, "PUBLISH", "up/command")])
    client.send(HELLO + COMMAND + NEXT)
    await broker.until_received(HELLO + NEXT)
    assert [row[1:] for row in pair.proxy.log] == [(UP, "PUBLISH t/up/command", "drop")]


async def test_skip_and_times_say_which_packets_are_struck(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("drop", UP, skip=1, times=2)])
    client.send(HELLO + COMMAND + NEXT + HELLO)
    await broker.until_received(HELLO + HELLO)


async def test_an_acknowledgement_is_known_by_the_topic_of_what_it_acknowledges(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("drop", DOWN, "PUBACK", "up/command")])
    client.send(HELLO + COMMAND)
    await broker.until_received(HELLO + COMMAND)
    broker.send(packets.puback(1) + packets.puback(2) + packets.puback(3))
    await client.until_received(packets.puback(1) + packets.puback(3))


async def test_delay_holds_a_packet_and_what_follows_it_in_one_direction(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("delay", UP, amount=1)])
    started_s = time.monotonic()
    client.send(COMMAND + NEXT)
    broker.send(packets.puback(9))
    await client.until_received(packets.puback(9))
    assert pair.proxy.held == 1
    await broker.until_received(COMMAND + NEXT)
    assert time.monotonic() - started_s >= 1
    assert pair.proxy.held == 0


async def test_what_is_delayed_arrives_although_its_sender_is_gone(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("delay", UP, amount=0.1)])
    client.send(COMMAND)
    client.writer.close()
    await broker.until_received(COMMAND)
    await broker.until_closed()


async def test_duplicate_repeats_a_publish_with_the_dup_flag_and_nothing_else(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("duplicate", UP, times=9)])
    client.send(COMMAND + PLAIN + packets.PINGREQ)
    again = bytes((COMMAND[0] | 8,)) + COMMAND[1:]
    await broker.until_received(COMMAND + again + PLAIN + packets.PINGREQ)


@pytest.mark.parametrize(("part", "count"), [(0, 0), (0.5, len(COMMAND) // 2), (1, len(COMMAND) - 1)])
async def test_cut_passes_a_part_of_the_packet_and_disconnects_both(pair, part, count):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("cut", UP, "PUBLISH", "up/command", amount=part)])
    client.send(HELLO + COMMAND + NEXT)
    await broker.until_closed()
    await client.until_closed()
    assert broker.received == HELLO + COMMAND[:count]


async def test_half_open_swallows_everything_and_closes_nothing_but_the_next_connection_works(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("half-open", UP, "PUBLISH", "up/command")])
    client.send(HELLO + COMMAND + NEXT)
    await broker.until_received(HELLO)
    broker.send(packets.puback(1))
    broker.writer.write_eof()
    client2, broker2 = await pair.join()
    client2.send(HELLO)
    await broker2.until_received(HELLO)
    assert (client.received, client.is_closed) == (b"", False)
    assert (broker.received, broker.is_closed) == (HELLO, False)
    pair.proxy.heal()
    await client.until_closed()
    await broker.until_closed()
    assert not client2.is_closed


async def test_throttle_slows_both_directions_down(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("throttle", UP, amount=200)])
    started_s = time.monotonic()
    client.send(COMMAND + NEXT)
    await broker.until_received(COMMAND + NEXT)
    broker.send(NEXT)
    await client.until_received(NEXT)
    assert time.monotonic() - started_s >= (len(COMMAND) + 2 * len(NEXT)) / 200 * 0.8


async def test_healing_ends_the_script_and_keeps_healthy_connections(pair):
    client, broker = await pair.join()
    pair.proxy.arm([Fault("drop", times=99)])
    client.send(HELLO)
    await _until(lambda: pair.proxy.log)
    pair.proxy.heal()
    client.send(COMMAND)
    await broker.until_received(COMMAND)


async def test_what_is_not_mqtt_is_disconnected(pair):
    client, _ = await pair.join()
    client.send(b"\x30\xff\xff\xff\xff\x7f")
    await client.until_closed()


async def test_without_a_broker_the_client_is_disconnected(pair):
    await pair.stop_broker()
    client = await pair.connect()
    await client.until_closed()


@pytest.mark.parametrize(
    "make",
    [lambda: Fault("melt"), lambda: Fault("delay", amount=31), lambda: Fault("throttle", amount=0)],
)
def test_a_fault_that_cannot_be_is_our_own_mistake(make):
    with pytest.raises(ValueError, match=r"no fault|can be|at least"):
        make()


def test_the_cutter_refuses_a_packet_over_the_limit():
    with pytest.raises(StreamBroken):
        PacketCutter().feed(b"\x30" + packets.remaining_length(MOST_PACKET_BYTES + 1))


async def _until(is_so):
    deadline_s = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.005)
