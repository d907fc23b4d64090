"""The bridge's MQTT packets: octet by octet, at every boundary of a length, cut anywhere, and in bounded memory.

The decoders of other parts read the packets too: the broker's door, the device's and the fault proxy's.
"""

import tracemalloc
from itertools import pairwise

import pytest
from fault_lab.mqtt_stream import PacketCutter
from hypothesis import example, given
from hypothesis import strategies as some
from phoneterm_bridge.broker.connect_packet import Connect, parse_connect
from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.mqtt.decoder import MOST_PACKET_BYTES, Decoder
from phoneterm_bridge.mqtt.packets import CONNACK, PINGRESP, PUBACK, PUBLISH, SUBACK, Will

ids = some.integers(1, 65535)
topics = some.text(some.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=40)
sent = some.one_of(
    some.builds(
        lambda topic, payload, number, flag: (
            packets.publish(topic, payload, number, flag), (PUBLISH, number, topic, payload, flag)
        ),
        topics, some.binary(max_size=200), some.one_of(some.just(0), ids), some.booleans(),
    ),
    ids.map(lambda number: (packets.acknowledge(number), (PUBACK, number, "", b"", False))),
    some.integers(0, 5).map(lambda code: (bytes((0x20, 2, 0, code)), (CONNACK, code, "", b"", False))),
    some.binary(min_size=1, max_size=3).map(
        lambda granted: (bytes((0x90, 2 + len(granted), 1, 4)) + granted, (SUBACK, 260, "", granted, False))
    ),
    some.just((b"\xd0\x00", (PINGRESP, 0, "", b"", False))),
)  # fmt: skip


@given(some.lists(sent, max_size=8), some.lists(some.integers(1, 50)))
def test_packets_cut_anywhere_come_out_whole_and_in_order(stream, sizes):
    octets = b"".join(one for one, _ in stream)
    decoder, found, at = Decoder(), [], 0
    for size in [*sizes, len(octets)]:
        found += decoder.feed(octets[at : at + size])
        at += size
    assert found == [packet for _, packet in stream]
    assert decoder.trouble == ""


@pytest.mark.parametrize("is_acknowledged", [True, False])
@pytest.mark.parametrize("size", [126, 127, 128, 129, 16383, 16384, 16385, MOST_PACKET_BYTES])
def test_a_message_of_every_length_of_length(size, is_acknowledged):
    number = 513 if is_acknowledged else 0
    payload = bytes(size - 4 - 2 * is_acknowledged - 1) + b"e"
    octets = packets.publish("to", payload, number)
    (seen,) = PacketCutter().feed(octets) if size < MOST_PACKET_BYTES else [None]
    assert seen is None or (seen.name, seen.topic, seen.ident, seen.payload) == ("PUBLISH", "to", number, payload)
    assert octets[1:].startswith(packets.remaining_length(size))
    expected = [(PUBLISH, number, "to", payload, False)]
    assert Decoder().feed(octets) == expected
    decoder, found = Decoder(), []
    for at in range(len(octets)):
        found += decoder.feed(octets[at : at + 1])
    assert found == expected


@pytest.mark.parametrize(
    ("size", "octets"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (16384, "808001"), (2097152, "80808001")],
)
def test_a_length_is_written_as_the_standard_shows_it(size, octets):
    assert packets.remaining_length(size).hex() == octets


def test_the_short_packets_are_those_of_the_standard():
    assert packets.acknowledge(513) == b"\x40\x02\x02\x01"
    assert packets.subscribe(10, "a/b", "c/d") == b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/d\x01"
    assert packets.publish("a/b", b"p", 10) == b"\x32\x08\x00\x03a/b\x00\x0ap"
    assert packets.publish("a/b", b"p", 10, True)[0] == 0x33
    assert packets.publish("a/b", b"p", 0, True) == b"\x31\x06\x00\x03a/bp"
    assert (packets.PING, packets.DISCONNECT) == (b"\xc0\x00", b"\xe0\x00")


def test_a_login_is_what_the_brokers_door_reads():
    octets = packets.connect("one", "bridge", "s\u00e9cret", 15, Will("t/state", b"gone"))
    assert octets[:2] == bytes((0x10, len(octets) - 2))
    assert parse_connect(octets[2:]) == Connect("one", "bridge", "s\u00e9cret", 15, "t/state", b"gone", 1, True)
    assert octets[9] == 0xEE  # user name, password, will retained, QoS 1, will, clean session


def test_a_stranger_says_neither_a_name_nor_a_password():
    assert packets.connect("one", None) == b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03one"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"\x32\xff\xff\xff\xff", "an invalid length"),
        (b"\x90" + packets.remaining_length(MOST_PACKET_BYTES + 1), "a packet of 65537 bytes, over the limit of 65536"),
        (b"\x32\x81\x80\x04\x00\x01+\x00\x01" + bytes(MOST_PACKET_BYTES), "a message with an invalid topic"),
        (b"\x30\x00", "a message that ends too early"),
        (b"\x30\x01\x00", "a message that ends too early"),
        (b"\x30\x03\x00\x02a", "a message that ends too early"),
        (b"\x32\x04\x00\x01a\x00", "a message that ends too early"),
        (b"\x32\x05\x00\x01a\x00\x00", "a message without a packet id"),
        (b"\x34\x05\x00\x01a\x00\x01", "a message with QoS 2, which was not asked for"),
        (b"\x36\x05\x00\x01a\x00\x01", "a message with QoS 2, which was not asked for"),
        (b"\x32\x05\x00\x01\xff\x00\x01", "a topic that is not UTF-8"),
        (b"\x32\x07\x00\x03\xed\xa0\x80\x00\x01", "a topic that is not UTF-8"),  # a surrogate
        (b"\x32\x04\x00\x00\x00\x01", "a message with an invalid topic"),
        (b"\x32\x05\x00\x01+\x00\x01", "a message with an invalid topic"),
        (b"\x32\x05\x00\x01#\x00\x01", "a message with an invalid topic"),
        (b"\x32\x05\x00\x01\x00\x00\x01", "a message with an invalid topic"),
        (b"\x40\x01\x00", "a packet that no broker may send (it begins with 0x40)"),
        (b"\x41\x02\x00\x01", "a packet that no broker may send (it begins with 0x41)"),
        (b"\x20\x01\x00", "a packet that no broker may send (it begins with 0x20)"),
        (b"\x90\x02\x00\x01", "a packet that no broker may send (it begins with 0x90)"),
        (b"\xd0\x01\x00", "a packet that no broker may send (it begins with 0xd0)"),
        (b"\x62\x02\x00\x01", "a packet that no broker may send (it begins with 0x62)"),
        (b"HTTP/1.1 400 Bad Request" + bytes(80), "a packet that no broker may send (it begins with 0x48)"),
    ],
)
def test_what_no_broker_may_send_is_named_and_ends_the_reading(octets, words):
    right = packets.acknowledge(1)
    decoder = Decoder()
    assert decoder.feed(right + octets + right) == [(PUBACK, 1, "", b"", False)]
    assert decoder.trouble == words
    assert decoder.feed(right) == []
    slow = Decoder()
    for octet in octets:
        assert slow.feed(bytes((octet,))) == []
    assert slow.trouble == words


@pytest.mark.parametrize("more", [1, 2, 1000, 3_000_000])
@pytest.mark.parametrize("cuts", [(), (3,), (1, 2, 5, 8), (MOST_PACKET_BYTES + 3, MOST_PACKET_BYTES + 4), (-5, -4)])
def test_of_a_message_that_is_too_long_the_beginning_is_read_and_the_rest_passed_over(more, cuts):
    payload = b"x" * (MOST_PACKET_BYTES - 5 + more)
    long = packets.publish("t", payload, 7, is_retained=True)
    octets = packets.acknowledge(1) + long + packets.publish("u", b"p", 8)
    bounds = [0, *sorted(cut % len(octets) for cut in cuts), len(octets)]
    decoder = Decoder()
    found = [packet for start, stop in pairwise(bounds) for packet in decoder.feed(octets[start:stop])]
    assert decoder.trouble == ""
    assert [packet[:3] for packet in found] == [(PUBACK, 1, ""), (PUBLISH, 7, "t"), (PUBLISH, 8, "u")]
    assert found[1][3:] == (payload[: MOST_PACKET_BYTES - 5], True)
    assert found[2][3] == b"p"


def test_of_a_message_that_never_ends_nothing_but_its_beginning_is_kept():
    piece = bytes(10_000)
    decoder = Decoder()
    decoder.feed(b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x01")
    found = [packet for _ in range(7) for packet in decoder.feed(piece)]
    assert [(kind, number, len(payload)) for kind, number, _, payload, _ in found] == [(PUBLISH, 1, 65531)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert [packet for _ in range(1000) for packet in decoder.feed(piece)] == []
        after, _ = tracemalloc.get_traced_memory()
        assert after - before < 4096
    finally:
        tracemalloc.stop()


@given(some.binary(max_size=300), some.integers(1, 300))
@example(packets.publish("t", b"x" * 90, 1)[:-1], 20)
def test_nothing_makes_it_raise(octets, cut):
    decoder = Decoder()
    for piece in (octets[:cut], octets[cut:], octets):
        assert isinstance(decoder.feed(piece), list)


def test_what_is_kept_is_one_unfinished_packet_and_after_trouble_nothing():
    piece = bytes(1000)
    tracemalloc.start()
    try:
        decoder = Decoder()
        before, _ = tracemalloc.get_traced_memory()
        decoder.feed(packets.publish("t", bytes(65000), 1)[:200])
        for _ in range(64):
            decoder.feed(piece)
        kept, _ = tracemalloc.get_traced_memory()
        assert 64000 < kept - before < 2 * MOST_PACKET_BYTES
        for _ in range(1000):
            decoder.feed(piece)
        assert decoder.trouble
        after, _ = tracemalloc.get_traced_memory()
        assert after - before < 4096
    finally:
        tracemalloc.stop()
