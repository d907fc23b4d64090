"""How the bridge's MQTT connection ends, or is noticed to have ended, with a broker that does what real ones do not."""

import asyncio
import time

import pytest
import structlog
from bridge.written_broker import AT_MOST_S, LET_IN, message
from phoneterm_bridge.mqtt import packets, protocol

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture:DeprecationWarning")

_BETWEEN_S = 0.02  # many messages for a broker that loses one, and few for the processor


@pytest.mark.parametrize("with_reset", [False, True])
async def test_a_broker_that_hangs_up_later(broker, with_reset):
    connection = await broker.open()
    assert connection.publish("a", b"", False)
    await broker.hang_up(with_reset)
    await connection.wait_lost()
    assert not connection.publish("a", b"", False)
    started_s = time.monotonic()
    await connection.close()
    assert time.monotonic() - started_s < protocol.GOODBYE_S  # there is no wait for an answer that cannot come


@pytest.mark.parametrize(
    ("octets", "words"), [(LET_IN, "packets out of order"), (message("t/x", first=0x34), "a message with QoS 2")]
)
async def test_a_broker_that_says_what_it_may_not_is_left_with_a_sentence(broker, octets, words):
    connection = await broker.open()
    await broker.say(octets)
    with structlog.testing.capture_logs() as logged:
        await connection.wait_lost()
    assert [(line["event"], line["why"][:9]) for line in logged] == [("broker-cut-off", "it sends ")]
    assert words in logged[0]["why"]
    assert await broker.take() == (b"", b"")  # without DISCONNECT, so that a broker publishes the will


async def test_closing_waits_for_what_was_published_and_says_goodbye(broker):
    connection = await broker.open()
    connection.publish("a", b"last", False)
    closing = asyncio.create_task(connection.close())
    _, number, payload = await broker.take_message()
    assert (payload, closing.done()) == (b"last", False)
    await broker.say(packets.acknowledge(number))
    assert await broker.take() == (b"\xe0", b"")
    assert await broker.take() == (b"", b"")
    await closing
    await connection.wait_lost()


@pytest.mark.parametrize("is_given_up", [False, True])
async def test_closing_has_an_end_although_nothing_is_acknowledged(broker, is_given_up):
    connection = await broker.open()
    connection.publish("a", b"last", False)
    if is_given_up:
        connection.give_up()
        await connection.wait_lost()
        assert not connection.publish("a", b"more", False)
    started_s = time.monotonic()
    await connection.close()
    took_s = time.monotonic() - started_s
    assert took_s < AT_MOST_S
    assert (took_s < 0.9 * protocol.GOODBYE_S) is is_given_up  # uvloop's timers may be a millisecond early
    assert (await broker.take_message())[2] == b"last"
    assert await broker.take() == (b"\xe0", b"")


async def test_what_was_never_open_can_be_closed_and_publishes_nothing(broker):
    assert not broker.connection.publish("a", b"", False)
    await broker.connection.close()
    await broker.connection.close()


async def test_a_ping_is_sent_in_the_silence_and_an_answer_to_it_is_enough(broker):
    connection = broker.make_connection(keepalive_s=1)
    await broker.open()
    started_s = time.monotonic()
    for _ in range(4):  # longer than a silent peer is tolerated
        assert await broker.take() == (b"\xc0", b"")
        await broker.say(b"\xd0\x00")
    assert time.monotonic() - started_s > 1.6
    assert connection.publish("a", b"", False)


async def test_a_silent_peer_is_lost_after_one_and_a_half_keepalives(broker):
    connection = broker.make_connection(keepalive_s=1)
    await broker.open()
    started_s = time.monotonic()
    with structlog.testing.capture_logs() as logged:
        await connection.wait_lost()
    assert 1.2 < time.monotonic() - started_s < AT_MOST_S
    assert [line["why"] for line in logged] == ["it has said nothing for 1.5 s"]


async def test_a_peer_that_says_anything_is_not_silent(broker):
    connection = broker.make_connection(keepalive_s=1)
    await broker.open()
    started_s = time.monotonic()
    while time.monotonic() - started_s < 2:
        assert await broker.take() == (b"\xc0", b"")
        await broker.say(packets.acknowledge(9))
    assert connection.publish("a", b"", False)


@pytest.mark.parametrize("is_acknowledged", [False, True])
async def test_a_peer_that_answers_but_never_acknowledges_one_message_has_lost_it(broker, is_acknowledged):
    connection = broker.make_connection(keepalive_s=1)
    await broker.open()
    started_s = time.monotonic()
    assert connection.publish("a", b"is it lost?", False)
    number = (await broker.take_message())[1]
    if is_acknowledged:
        await broker.say(packets.acknowledge(number))
    with structlog.testing.capture_logs() as logged:
        while time.monotonic() - started_s < 2.5 and connection.publish("a", b"this is not", False):
            await asyncio.sleep(_BETWEEN_S)
            while (packet := await broker.take())[0] == b"\xc0":
                await broker.say(b"\xd0\x00")
            if packet[0]:
                end = 2 + int.from_bytes(packet[1][:2], "big")
                await broker.say(packets.acknowledge(int.from_bytes(packet[1][end : end + 2], "big")))
        if is_acknowledged:
            assert connection.publish("a", b"", False)
            return
        await connection.wait_lost()
    assert 1.4 < time.monotonic() - started_s < AT_MOST_S
    assert [line["why"] for line in logged] == ["it has not acknowledged a message for 1.5 s"]
