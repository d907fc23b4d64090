"""The bridge's MQTT connection against a broker that does what real ones do not, on both possible event loops."""

import asyncio
import time

import pytest
import structlog
import uvloop
from bridge.conftest import until
from bridge.written_broker import LET_IN, WILL, WrittenBroker, message
from phoneterm_bridge.mqtt import packets, protocol
from phoneterm_bridge.mqtt.connection import Limits, NotConnected
from phoneterm_bridge.settings.problem import SetupProblem

AT_MOST_S = 5
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture:DeprecationWarning")


@pytest.fixture(params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"])
def event_loop_policy(request):
    """The event loop of the tests, and the bridge's own."""
    return request.param()


@pytest.fixture
async def broker(event_loop_policy):
    """A broker that sends what the test writes, and a connection to it that is not open yet."""
    async with asyncio.timeout(60), WrittenBroker() as broker:
        yield broker


async def refusal(broker, *steps):
    """Open the connection while the broker does something, and return why it failed."""
    opening = asyncio.create_task(broker.connection.open())
    for step in steps:
        await step
    with pytest.raises(NotConnected) as caught:
        await opening
    return str(caught.value)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "unacceptable protocol version"),
        (2, "identifier rejected"),
        (3, "broker unavailable"),
        (4, "bad user name or password"),
        (5, "not authorised"),
        (77, "unknown error"),
    ],
)
async def test_a_login_that_is_refused(broker, code, words):
    said = await refusal(broker, broker.take(), broker.say(bytes((0x20, 2, 0, code))))
    assert said == f"connection refused: {words}"
    assert await broker.take() == (b"", b"")  # not even a DISCONNECT: it was never logged in


@pytest.mark.parametrize("granted", [b"\x80\x01", b"\x01\x80", b"\x01"])
async def test_a_subscription_that_is_refused(broker, granted):
    assert await refusal(broker, broker.let_in(granted)) == "it refuses the bridge's subscription"


@pytest.mark.parametrize("is_let_in", [False, True])
async def test_a_broker_that_does_not_answer(broker, is_let_in):
    broker.make_connection(limits=Limits(connect_s=0.2))
    assert await refusal(broker, *([broker.take(), broker.say(LET_IN)] if is_let_in else [])) == "it does not answer"
    started_s = time.monotonic()
    await broker.connection.close()
    assert time.monotonic() - started_s < AT_MOST_S


@pytest.mark.parametrize("with_reset", [False, True])
@pytest.mark.parametrize("step", range(4))
async def test_a_broker_that_hangs_up_before_the_bridge_is_in(broker, step, with_reset):
    steps = [broker.take, lambda: broker.say(LET_IN), broker.take][:step]
    words = await refusal(broker, *(one() for one in steps), broker.hang_up(with_reset))
    assert words in ("it hangs up", "connection reset by peer")


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
    ("octets", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n" + bytes(80), "it sends a packet that no broker may send"),
        (message("t/x"), "it sends packets out of order"),
        (b"\xd0\x00", "it sends packets out of order"),
        (b"\x32\xff\xff\xff\xff", "it sends an invalid length"),
    ],
)
async def test_a_broker_that_does_not_speak_as_one_when_asked(broker, octets, words):
    assert (await refusal(broker, broker.take(), broker.say(octets))).startswith(words)


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


async def test_the_login_has_the_will_and_asks_for_both_filters(broker):
    opening = asyncio.create_task(broker.connection.open())
    _, login = await broker.take()
    assert b"bridge" in login
    assert WILL.payload in login
    await broker.say(LET_IN)
    first, body = await broker.take()
    assert (first, body[2:]) == (b"\x82", b"\x00\x03t/#\x01\x00\x07t/state\x01")
    await broker.say(b"\x90\x04" + body[:2] + b"\x01\x00")
    await opening


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
    assert (took_s < protocol.GOODBYE_S) is is_given_up
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


async def test_a_setting_that_cannot_be_used_is_one_sentence(broker):
    def make_tls():
        raise SetupProblem("The file is not there.")

    broker.make_connection(make_tls=make_tls)
    assert await refusal(broker) == "The file is not there"
    broker.make_connection(host="a" * 70 + ".lab")
    assert await refusal(broker) != ""
