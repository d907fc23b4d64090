"""The MQTT packets and the decoder, as pure code: boundaries, and any input in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from phoneterm.device import mqtt_packets as packets
from phoneterm.device.mqtt_decoder import DROPPED, MALFORMED, PUBLISH, Decoder, Packet

LIMIT = 64


@pytest.mark.parametrize(
    ("length", "octets"),
    [
        (0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16383, b"\xff\x7f"), (16384, b"\x80\x80\x01"),
        (2097151, b"\xff\xff\x7f"), (2097152, b"\x80\x80\x80\x01"), (268435455, b"\xff\xff\xff\x7f"),
    ],
)  # fmt: skip
def test_a_remaining_length_has_the_bytes_of_the_standards_table(length, octets):
    assert packets.remaining_length(length) == octets


@pytest.mark.parametrize(
    "make",
    [
        lambda: packets.puback(-1),
        lambda: packets.publish("t" * 65536, b"", 0, False, 0),
        lambda: packets.publish("t", b"", 1, False, 65536),
    ],
)
def test_a_packet_that_cannot_exist_is_our_own_mistake(make):
    with pytest.raises(ValueError, match="does not fit"):
        make()


def decode(octets, sizes=(65536,), limit=LIMIT):
    """Return every packet of a stream in pieces of the given sizes, including the malformed one that ended it."""
    decoder = Decoder(limit)
    found = []
    at = piece = 0
    while at < len(octets):
        room = decoder.room()
        assert len(room) > 0
        count = min(len(room), sizes[piece % len(sizes)], len(octets) - at)
        room[:count] = octets[at : at + count]
        decoder.fill(count)
        at += count
        piece += 1
        while (packet := decoder.next_packet()) is not None:
            found.append(packet)
            if packet.kind == MALFORMED:
                return found
    return found


topics = some.text(min_size=1, max_size=80)
messages = some.tuples(topics, some.binary(max_size=150), some.integers(0, 1), some.booleans(), some.integers(1, 65535))


@given(some.lists(messages, max_size=8), some.lists(some.integers(1, 40), min_size=1, max_size=5))
def test_what_was_made_is_read_in_any_pieces_and_what_is_too_long_is_dropped_with_its_id(rows, sizes):
    stream = b""
    expected = []
    for topic, payload, qos, retain, ident in rows:
        made = packets.publish(topic, payload, qos, retain, ident)
        stream += made
        flags = qos << 1 | retain
        is_long = 2 + len(topic.encode()) + 2 * qos + len(payload) > LIMIT
        kept = (PUBLISH, flags, ident * qos, topic, payload)
        expected.append(Packet(DROPPED, 0, ident * qos, "", b"") if is_long else Packet(*kept))
    assert decode(stream, sizes) == expected


@given(some.binary(max_size=300), some.lists(some.integers(1, 40), min_size=1, max_size=5))
def test_anything_at_all_gives_packets_or_malformed_and_the_same_in_any_pieces(octets, sizes):
    assert decode(octets, sizes) == decode(octets)


def test_a_dropped_message_takes_no_more_memory_than_the_limit():
    long = packets.publish("t" * 500, bytes(100000), 1, False, 77)
    assert decode(long, (50,)) == [Packet(DROPPED, 0, 77, "", b"")]
