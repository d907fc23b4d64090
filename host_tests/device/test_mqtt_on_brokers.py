"""The MQTT client on the real MicroPython VM against real brokers."""

from device.real_brokers import BridgeWire, bridge_login, topic
from phoneterm.core import messages

UP = topic(messages.TELEMETRY)
DOWN = topic(messages.CALL)


async def test_publishes_of_both_kinds_arrive_and_are_told_so(broker, bridge_wire, tell):
    story = await tell(broker.port, "publish_both_ways", UP)
    assert await story.end() == [[True], [True]]
    await bridge_wire.until_received(UP, b"sent once")
    await bridge_wire.until_received(UP, b"acknowledged")


async def test_messages_arrive_with_their_retained_flag(broker, bridge_wire, tell):
    retained = topic(messages.PERMISSIONS)
    bridge_wire.send(retained, b"kept", is_retained=True)
    story = await tell(broker.port, "hear_retained_and_new", retained, DOWN)
    await story.until_said("kept")
    for qos in (0, 1):
        bridge_wire.send(DOWN, b"now %d" % qos, qos=qos)
    assert await story.end() == [["kept"], ["now"]]


async def test_many_publishes_at_once_are_all_acknowledged(broker, bridge_wire, tell):
    story = await tell(broker.port, "publish_ten_at_once", UP)
    await story.until_said([True] * 10)
    await bridge_wire.until_received(UP, b"9")
    assert [row[1] for row in bridge_wire.received] == [b"%d" % n for n in range(10)]


async def test_a_long_message_in_is_dropped_and_the_next_one_arrives(broker, bridge_wire, tell):
    story = await tell(broker.port, "hear_a_short_one", DOWN)
    await story.until_said("up")
    for qos in (0, 1):
        bridge_wire.send(DOWN, bytes(1500), qos=qos)
    bridge_wire.send(DOWN, b"short")
    assert (await story.end())[-1] == [True, 2, 1]


async def test_the_will_is_published_when_the_terminal_dies(broker, bridge_wire, tell):
    where = topic(messages.STATE)
    story = await tell(broker.port, "up_for_long", will=[where, "offline"])
    await story.until_said("up")
    await story.stop()
    await bridge_wire.until_received(where, b"offline")
    late = BridgeWire()
    await late.connect(broker.port, *bridge_login(broker))
    assert await late.until_received(where, b"offline")
    await late.close()


async def test_a_wrong_password_is_said_and_backed_off_from(broker, tell):
    story = await tell(broker.port, "tries_and_its_pauses", password="wrong")
    assert (await story.end())[0][:2] == [False, []]
    assert await story.until_logged("link-refused") in (
        "broker refused: not authorised",
        "broker refused: user name or password",
    )
    assert len(story.logged) == 1
    assert story.said[0][2] > 300
    assert story.said[0][3] == 20


async def test_a_refused_subscription_is_said(embedded_broker, tell):
    story = await tell(embedded_broker.port, "tries", 3000, filters=["phoneterm/v1/t/desk-102/down/#"])
    assert await story.until_logged("link-refused") == "broker refused to subscribe phoneterm/v1/t/desk-102/down/#"
    assert await story.end() == [[False]]


async def test_a_broker_that_comes_back_is_found_again_and_nothing_is_sent_late(broker, tell):
    story = await tell(broker.port, "broker_that_comes_back", UP)
    await story.until_said("up")
    await broker.stop()
    await story.until_said("down", [False, 0])
    await broker.start()
    wire = BridgeWire()
    await wire.connect(broker.port, *bridge_login(broker))
    await story.until_said("again")
    wire.send(DOWN, b"the bridge listens")
    assert (await story.end())[-1] == [True, [True, False, True]]
    await wire.until_received(UP, b"after")
    assert [row[1] for row in wire.received] == [b"after"]
    await wire.close()


async def test_a_second_connection_of_the_same_terminal_does_not_end_in_a_fight(broker, tell):
    """The broker closes the older one; both come back ever more slowly instead of disconnecting each other all day."""
    first = await tell(broker.port, "up_for_a_while")
    await first.until_said("up")
    second = await tell(broker.port, "up_for_a_while")
    counts = [(await story.end())[-1][0] for story in (first, second)]
    assert max(counts) < 30


async def test_a_cut_connection_comes_back_exactly_once_each_time_and_nothing_of_wifi_is_touched(broker, tell):
    """`make bench-link` measures how long it takes."""
    story = await tell(broker.port, "cut_five_times")
    assert (await story.end())[-1] == [6, [True] + [False, True] * 5, False]
