"""The MQTT client on the real MicroPython VM, byte by byte, against a broker that says exactly what the test wants."""

import pytest
from device.fake_broker import CONNACK, PUBLISH, publish, suback


async def test_connect_subscribe_publish_and_puback_are_byte_for_byte_as_the_standard_says(fake_broker, tell):
    seen = []

    async def script(peer):
        seen.append(await peer.packet())
        peer.send(CONNACK)
        seen.append(await peer.packet())
        peer.send(suback(seen[-1]))
        seen.append(await peer.packet())
        peer.send(b"\x40\x02" + seen[-1].body[3:5] + publish(0x1234, b"x"))
        seen.append(await peer.packet())

    broker = await fake_broker(script)
    story = await tell(
        broker.port, "publish_and_hear", will=["w", "gone"], tid="me", password="pw", filters=["a/#", "b"]
    )
    assert await story.end() == [[True]]
    connect, subscribe, sent, puback = seen
    assert connect.first == 0x10
    assert connect.body == b"\x00\x04MQTT\x04\xee\x00\x0f\x00\x02me\x00\x01w\x00\x04gone\x00\x02me\x00\x02pw"
    assert (subscribe.first, subscribe.body[2:]) == (0x82, b"\x00\x03a/#\x01\x00\x01b\x01")
    assert (sent.first, sent.body[:3], sent.body[5:]) == (0x33, b"\x00\x01t", b"p")
    assert (puback.first, puback.body) == (0x40, b"\x12\x34")


async def test_packets_in_pieces_of_one_byte_are_understood(fake_broker, tell):
    async def script(peer):
        await peer.packet()
        await peer.trickle(CONNACK)
        await peer.trickle(suback(await peer.packet()))
        await peer.trickle(PUBLISH + publish(7, bytes(200)))
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_two")
    assert await story.end() == [["hi", 200]]


async def test_many_packets_in_one_piece_are_understood(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        peer.send(PUBLISH * 500)
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_500")
    assert await story.end() == [["all"]]


@pytest.mark.parametrize("payload_bytes", [0, 121, 122, 123, 1019, 1020, 5000, 16378, 16379, 2097146, 2097147])
async def test_messages_at_every_boundary_of_length_are_taken_or_dropped_and_acknowledged(
    fake_broker, tell, payload_bytes
):
    acknowledged = []

    async def script(peer):
        await peer.welcome()
        peer.send(publish(9, bytes(payload_bytes)) + publish(10, b"next"))
        acknowledged.extend([(await peer.packet()).body, (await peer.packet()).body])
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_until_next")
    taken = payload_bytes + 5 <= 1024
    assert await story.end() == [[[payload_bytes, 4] if taken else [4], 0 if taken else 1]]
    assert acknowledged == [b"\x00\x09", b"\x00\x0a"]


@pytest.mark.parametrize(
    ("code", "event", "detail"),
    [
        (1, "link-refused", "answer 2, code 1"),
        (2, "link-refused", "answer 2, code 2"),
        (3, "link-lost", "not available"),
        (4, "link-refused", "user name or password"),
        (5, "link-refused", "not authorised"),
        (77, "link-refused", "answer 2, code 77"),
    ],
)
async def test_a_refusal_is_said_and_backed_off_from_unless_the_broker_is_only_busy(
    fake_broker, tell, code, event, detail
):
    async def script(peer):
        await peer.packet()
        peer.send(b"\x20\x02\x00" + bytes([code]))
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "tries", 250)
    assert await story.end() == [[False]]
    assert story.logged == [[event, "broker refused: " + detail]]
    assert (broker.connections == 1) == (event == "link-refused")


async def test_a_refused_subscription_is_said_and_the_link_is_not_up(fake_broker, tell):
    async def script(peer):
        await peer.packet()
        peer.send(CONNACK)
        peer.send(suback(await peer.packet(), 0x80))
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "tries_and_its_links", filters=["a/#", "b"])
    assert await story.end() == [[[]]]
    assert story.logged == [["link-refused", "broker refused to subscribe b"]]


async def test_acknowledgements_of_unknown_ids_are_ignored_and_counted(fake_broker, tell):
    async def script(peer):
        await peer.welcome()
        for first in (0x40, 0x50, 0x62, 0x70, 0xB0):
            peer.send(bytes([first]) + b"\x02\x77\x77")
        peer.send(b"\x90\x03\x77\x77\x80" + PUBLISH)
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_one_and_the_unexpected")
    assert await story.end() == [[6, 1]]


async def test_a_message_sent_twice_is_handed_over_and_acknowledged_twice(fake_broker, tell):
    acknowledged = []

    async def script(peer):
        await peer.welcome()
        peer.send(publish(5, b"x") + publish(5, b"x", flags=0x0A))
        acknowledged.extend([await peer.packet(), await peer.packet()])
        peer.send(PUBLISH)
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_three")
    assert await story.end() == [[["x", "x", "hi"]]]
    assert [packet.body for packet in acknowledged] == [b"\x00\x05", b"\x00\x05"]


async def test_a_session_that_the_broker_kept_does_no_harm(fake_broker, tell):
    async def script(peer):
        await peer.packet()
        peer.send(b"\x20\x02\x01\x00" + publish(3, b"old"))
        peer.send(suback(await peer.packet()))
        assert (await peer.packet()).body == b"\x00\x03"
        await peer.until_gone()

    broker = await fake_broker(script)
    story = await tell(broker.port, "hear_what_was_kept")
    assert await story.end() == [[[True], "old"]]


@pytest.mark.parametrize(
    "octets",
    [
        b"\x30\xff\xff\xff\xff\x01",  # remaining length of five bytes
        b"\x00\x00",  # kind 0
        b"\xf0\x00",  # kind 15
        b"\x34\x06\x00\x01d\x00\x01x",  # QoS 2
        b"\x36\x06\x00\x01d\x00\x01x",  # QoS 3
        b"\x32\x05\x00\x01d\x00\x00",  # packet id 0
        b"\x30\x03\x00\x05d",  # a topic longer than its packet
        b"\x30\x03\x00\x01\xff",  # a topic that is not UTF-8
        b"\x40\x03\x00\x01\x00",  # PUBACK of three bytes
        b"\xd0\x01\x00",  # PINGRESP with a body
        b"\x90\x01\x00",  # SUBACK without codes
        b"\x10\x00",  # CONNECT from a broker
    ],
)
async def test_a_malformed_packet_ends_the_connection_and_the_next_one_works(fake_broker, tell, octets):
    async def wrong(peer):
        await peer.welcome()
        peer.send(octets)
        await peer.until_gone()

    async def right(peer):
        await peer.welcome()
        peer.send(PUBLISH)
        await peer.until_gone()

    broker = await fake_broker(wrong, right)
    story = await tell(broker.port, "hear_one_and_the_links")
    assert await story.end() == [[[True, False, True]]]
    assert (await story.until_logged("link-lost")).startswith("malformed: ")
