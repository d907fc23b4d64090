"""The embedded broker lets in whom it should, and each terminal only to its own topics."""

import asyncio

import gmqtt
import pytest
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm.core import messages
from phoneterm_bridge.connect_packet import Connect, build_connect

OTHER = "phone-102"


@pytest.fixture
async def crowd(broker_scene):
    """The scene with a second terminal, phone-102."""
    broker_scene.directory.add_user("tech2")
    broker_scene.directory.add_extension("102", "tech2")
    broker_scene.other = broker_scene.directory.add_terminal(OTHER, "102")
    await broker_scene.bridge.refresh()
    return broker_scene


def topic(tid, kind):
    return messages.topic_of("phoneterm", tid, kind)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (None, None),
        ("phone-101", "wrong"),
        ("phone-101", ""),
        ("nobody", "wrong"),
        ("BRIDGE", "wrong"),
        ("bridge", "bridge"),
        ("+", "x"),
        ("#", "x"),
        ("phone-101/../x", "x"),
        ("ü" * 100, "x"),
    ],
)
async def test_who_does_not_belong_here_is_refused(broker_scene, make, username, password):
    wire = make.MqttWire()
    with pytest.raises(MQTTConnectError):
        await wire.connect(broker_scene.bridge.broker_port, username, password)


async def test_a_client_id_that_is_not_the_user_name_is_welcome(broker_scene):
    terminal = await broker_scene.terminal(client_id="something else entirely")
    assert await terminal.hello()


async def test_another_terminals_client_id_takes_nothing_from_it(crowd, make):
    victim = await crowd.terminal(client_id="victim")
    await victim.hello()
    attacker = await crowd.terminal(crowd.other, client_id="victim")
    await attacker.hello()
    assert not victim.wire.is_lost
    assert await victim.ask() == ("accepted", None)


async def test_a_refused_login_with_a_known_client_id_takes_nothing_from_its_owner(broker_scene, make):
    victim = await broker_scene.terminal(client_id="victim")
    await victim.hello()
    wire = make.MqttWire("victim")
    with pytest.raises(MQTTConnectError):
        await wire.connect(broker_scene.bridge.broker_port, "phone-101", "wrong")
    assert await victim.ask() == ("accepted", None)


async def test_the_same_client_again_takes_over_and_the_old_connection_ends(broker_scene, make):
    first = await broker_scene.terminal(client_id="same")
    second = await broker_scene.terminal(client_id="same")
    await make.until(lambda: first.wire.is_lost)
    assert await second.hello()


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/#",
        "$SYS/#",
        "phoneterm/#",
        "phoneterm/v1/t/#",
        "phoneterm/v1/t/+/down/#",
        "phoneterm/v1/t/phone-102/down/#",
        "phoneterm/v1/t/phone-102/down/result",
        "phoneterm/v1/t/phone-101/#",
        "phoneterm/v1/t/phone-101/up/#",
        "phoneterm/v1/t/phone-101/+/result",
        "phoneterm/v1/bridge/#",
        "phoneterm/v1/bridge/+",
        "phoneterm/v1/t/phone-10+/down/#",
        "",
    ],
)
async def test_a_filter_beyond_its_own_topics_is_refused(crowd, topic_filter):
    terminal = await crowd.terminal()
    assert await terminal.wire.subscribe(topic_filter) == [0x80]


async def test_what_is_meant_for_a_terminal_does_not_reach_another(crowd):
    mine, other = await crowd.terminal(), await crowd.terminal(crowd.other)
    await mine.hello()
    await other.hello()
    assert {where.split("/")[3] for where, _, _ in other.wire.published if "/t/" in where} == {OTHER}


async def test_a_command_under_another_terminals_name_does_not_arrive(crowd):
    mine, other = await crowd.terminal(), await crowd.terminal(crowd.other)
    await mine.hello()
    await other.hello()
    stolen = mine.command()
    await other.wire.send(mine.topic(messages.COMMAND), mine.encode(messages.COMMAND, stolen))
    assert (await other.ask())[0] == "rejected"
    assert mine.results(stolen["id"]) == []
    assert crowd.pbx.asked == []


async def test_a_terminal_cannot_grant_itself_permissions(crowd):
    other = await crowd.terminal(crowd.other)
    await other.hello()
    fields = {"rev": 999, "multi_user_aware": True, "blind": True, "attended": True, "classes": ["internal"]}
    await other.send(messages.PERMISSIONS, fields, is_retained=True)
    assert await other.ask() == ("rejected", "permission")
    assert not any(document["multi_user_aware"] for document in other.heard(messages.PERMISSIONS))
    fresh = await crowd.terminal(crowd.other)
    await fresh.hello()
    assert not any(document["multi_user_aware"] for document in fresh.heard(messages.PERMISSIONS))


async def test_a_terminal_cannot_speak_as_the_bridge(crowd):
    mine, other = await crowd.terminal(), await crowd.terminal(crowd.other)
    state_topic = topic("", messages.BRIDGE_STATE)
    await other.wire.send(state_topic, b'{"v":1,"state":"offline"}', is_retained=True)
    await other.hello()
    await mine.hello()
    states = [payload for where, payload, _ in mine.wire.published if where == state_topic]
    assert [messages.decode(messages.BRIDGE_STATE, state_topic, None, one)["state"] for one in states] == ["online"]


@pytest.mark.parametrize("will_topic", [topic(OTHER, messages.STATE), topic("", messages.BRIDGE_STATE), "else/where"])
async def test_a_will_under_somebody_elses_topic_is_refused(crowd, make, will_topic):
    wire = make.MqttWire(will_message=gmqtt.Message(will_topic, b"x", qos=1, retain=True))
    with pytest.raises(MQTTConnectError):
        await wire.connect(crowd.bridge.broker_port, "phone-101", crowd.enrolment.mqtt_password)


async def test_a_lost_connection_publishes_the_will_and_ends_the_session(broker_scene, make):
    will = gmqtt.Message(
        topic("phone-101", messages.STATE), b'{"v":1,"boot":"b001","state":"offline"}', qos=1, retain=True
    )
    wire = make.MqttWire("phone", will_message=will)
    await wire.connect(broker_scene.bridge.broker_port, "phone-101", broker_scene.enrolment.mqtt_password)
    terminal = make.FakeTerminal(wire, "phone-101", broker_scene.enrolment.mac_key)
    await wire.subscribe(*messages.topic_filters("phoneterm", "phone-101"))
    await terminal.hello()
    broker_scene.pbx.change_calls("101")
    wire.cut()
    terminal.wire = (await broker_scene.terminal()).wire
    answer = await terminal.ask()
    while answer == ("rejected", "no-call"):
        answer = await terminal.ask()
    assert answer == ("rejected", "bad-session")


async def test_a_silent_client_is_cut_off_after_its_keepalive(broker_scene, make):
    reader, writer = await asyncio.open_connection("127.0.0.1", broker_scene.bridge.broker_port)
    packet = bytearray(build_connect(Connect("c", "phone-101", "", 1, None, b"", 0, False)))
    password = broker_scene.enrolment.mqtt_password.encode()
    packet += len(password).to_bytes(2, "big") + password
    packet[1] += 2 + len(password)
    packet[9] |= 0x40
    writer.write(packet)
    assert await asyncio.wait_for(reader.readexactly(4), 5) == b"\x20\x02\x00\x00"
    assert await asyncio.wait_for(reader.read(), 4) == b""
    writer.close()


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\xff\xff\xff\xff\xff",
        b"\x10\xff\xff\x7f",
        b"\x10\x00",
        b"\x10\x0a\x00\x04MQTT\x04\xc2\x00",
        b"\x30\x05hello",
    ],
)
async def test_what_is_not_a_connect_is_cut_off_and_the_broker_goes_on(broker_scene, octets):
    reader, writer = await asyncio.open_connection("127.0.0.1", broker_scene.bridge.broker_port)
    writer.write(octets)
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 6) == b""
    writer.close()
    assert await (await broker_scene.terminal()).hello()


async def test_mqtt_5_is_refused_with_the_code_for_its_version(broker_scene):
    reader, writer = await asyncio.open_connection("127.0.0.1", broker_scene.bridge.broker_port)
    writer.write(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc")
    assert await asyncio.wait_for(reader.read(), 5) == b"\x20\x02\x00\x01"
    writer.close()


async def test_a_packet_over_the_limit_ends_its_connection_only(broker_scene, make):
    loud, quiet = await broker_scene.terminal(), await broker_scene.terminal()
    await loud.wire.send(loud.topic(messages.COMMAND), b"x" * 100_000)
    await make.until(lambda: loud.wire.is_lost)
    assert await quiet.hello()


async def test_a_revoked_terminal_is_cut_off_and_stays_out(broker_scene, make):
    terminal = await broker_scene.terminal()
    await terminal.hello()
    broker_scene.directory.revoke_terminal("phone-101")
    await make.until(lambda: terminal.wire.is_lost)
    wire = make.MqttWire()
    with pytest.raises(MQTTConnectError):
        await wire.connect(broker_scene.bridge.broker_port, "phone-101", broker_scene.enrolment.mqtt_password)
    retained = broker_scene.bridge._broker._broker.retained_messages
    assert not [where for where in retained if where.endswith(("down/permissions", "down/config"))]


async def test_it_listens_on_loopback_only_unless_told_otherwise(broker_scene):
    sockets = broker_scene.bridge._broker._server.sockets
    assert {socket.getsockname()[0] for socket in sockets} == {"127.0.0.1"}
