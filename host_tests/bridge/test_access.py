"""Who may do what at the broker: one body of tests for the embedded one and for mosquitto as we configure it."""

import asyncio
import contextlib

import gmqtt
import pytest
from attack_lab.scenery.crowd import MINE, OTHER, Crowd
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm.core import messages
from phoneterm_bridge.mqtt import packets
from phoneterm_bridge.store.directory import Directory

ODD = ("+", "#", "phone-10+")


class OddCrowd(Crowd):
    """A crowd with terminals whose names the directory would refuse, as if somebody had written to the store."""

    @staticmethod
    def fill_store(engine):
        enrolments = Crowd.fill_store(engine)
        for number, name in enumerate(ODD):
            enrolment = Directory(engine, "test").add_terminal(f"odd-{number}", "102")
            with engine.begin() as connection:
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
                for table in ("terminals", "permissions"):
                    connection.exec_driver_sql(f"UPDATE {table} SET tid = ? WHERE tid = ?", (name, enrolment.tid))
            enrolments[name] = enrolment
        return enrolments


@pytest.fixture(params=["embedded broker", "mosquitto", "mosquitto-2.0"])
async def crowd(request, tmp_path, need_part):
    """A bridge on the broker, with the terminals phone-101 and phone-102, whose user may not transfer."""
    scene = OddCrowd(tmp_path, None if request.param == "embedded broker" else need_part(request.param))
    await scene.start()
    yield scene
    await scene.stop()


def topic(tid, kind):
    return messages.topic_of("phoneterm", tid, kind)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (None, None),
        (MINE, "wrong"),
        (MINE, ""),
        ("nobody", "wrong"),
        ("BRIDGE", "wrong"),
        ("bridge", "bridge"),
        ("bridge", ""),
        ("+", "x"),
        ("#", "x"),
        ("phone-101/../x", "x"),
        ("ü" * 100, "x"),
    ],
)
async def test_who_does_not_belong_here_is_refused(crowd, make, username, password):
    wire = make.MqttWire()
    with pytest.raises(MQTTConnectError):
        await wire.connect(crowd.bridge.broker_port, username, password)


async def test_the_password_of_one_terminal_does_not_open_another(crowd, make):
    wire = make.MqttWire()
    with pytest.raises(MQTTConnectError):
        await wire.connect(crowd.bridge.broker_port, MINE, crowd.other.mqtt_password)


async def test_a_client_id_that_is_not_the_user_name_is_welcome(crowd):
    terminal = await crowd.terminal(client_id="something else entirely")
    assert await terminal.hello()


@pytest.mark.parametrize("client_id", [MINE, "victim", "bridge", f"{MINE}/{MINE}"])
async def test_another_terminals_client_id_gives_nothing_and_takes_nothing(crowd, client_id):
    victim = await crowd.terminal(client_id=client_id)
    await victim.hello()
    attacker = await crowd.terminal(crowd.other, client_id=client_id)
    await attacker.hello()
    assert not victim.wire.is_lost
    assert await victim.ask() == ("accepted", None)
    assert not [where for where in attacker.wire.heard() if MINE in where]


async def test_a_refused_login_with_a_known_client_id_takes_nothing_from_its_owner(crowd, make):
    victim = await crowd.terminal(client_id="victim")
    await victim.hello()
    wire = make.MqttWire("victim")
    with pytest.raises(MQTTConnectError):
        await wire.connect(crowd.bridge.broker_port, MINE, "wrong")
    assert await victim.ask() == ("accepted", None)


async def test_the_same_client_again_takes_over_and_the_old_connection_ends(crowd, make):
    first = await crowd.terminal(client_id="same")
    second = await crowd.terminal(client_id="same")
    await make.until(lambda: first.wire.is_lost)
    assert await second.hello()


async def test_of_several_that_take_over_at_once_only_the_last_stays(crowd):
    unhandled = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    await crowd.terminal(client_id="same")
    connect = packets.connect("same", crowd.enrolment.tid, crowd.enrolment.mqtt_password)
    ends = [await asyncio.open_connection("127.0.0.1", crowd.bridge.broker_port) for _ in range(3)]
    for _, writer in ends:
        writer.write(connect)
    last = await crowd.terminal(client_id="same")
    async with asyncio.timeout(20):
        for reader, writer in ends:
            with contextlib.suppress(ConnectionError):
                await reader.read()  # all that comes until the broker hangs up
            writer.close()
    assert await last.hello()
    assert not unhandled


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/#",
        "$SYS/#",
        "phoneterm/#",
        "phoneterm/v1/t/#",
        "phoneterm/v1/t/+/down/#",
        "phoneterm/v1/t/phone-101/down/#",
        "phoneterm/v1/t/phone-101/down/permissions",
        "phoneterm/v1/t/phone-101/#",
        "phoneterm/v1/t/phone-101/up/#",
        "phoneterm/v1/t/phone-101/+/result",
        "phoneterm/v1/t/phone-10+/down/#",
        "phoneterm/v1/t/+/up/#",
        "phoneterm/v1/bridge/+",
    ],
)
async def test_no_filter_gives_a_terminal_what_is_not_meant_for_it(crowd, topic_filter):
    spy = await crowd.terminal(crowd.other)
    victim = await crowd.terminal()
    await victim.hello()
    await spy.wire.subscribe_anyhow(topic_filter)
    await victim.hello()
    await victim.ask()
    if not spy.wire.is_lost:
        await spy.hello()
    own = messages.topic_filters("phoneterm", OTHER)[0].removesuffix("#")
    assert {where for where in spy.wire.heard() if not where.startswith(own)} <= {topic("", messages.BRIDGE_STATE)}


async def test_a_terminal_reads_its_own_and_the_bridges_state(crowd):
    terminal = await crowd.terminal()
    await terminal.hello()
    kinds = (messages.SESSION, messages.PERMISSIONS, messages.CONFIG, messages.CALL, messages.BRIDGE_STATE)
    assert terminal.wire.heard() == {topic(MINE, kind) for kind in kinds}


async def test_a_command_under_another_terminals_name_does_not_arrive(crowd):
    victim, attacker = await crowd.terminal(), await crowd.terminal(crowd.other)
    await victim.hello()
    await attacker.hello()
    stolen = victim.command()
    await attacker.wire.send(victim.topic(messages.COMMAND), victim.encode(messages.COMMAND, stolen))
    assert (await attacker.ask())[0] == "rejected"
    assert victim.results(stolen["id"]) == []
    assert crowd.pbx.asked == []


async def test_another_terminals_session_cannot_be_ended(crowd):
    victim, attacker = await crowd.terminal(), await crowd.terminal(crowd.other)
    await victim.hello()
    goodbye = victim.encode(messages.STATE, {"boot": victim.boot, "state": "offline"})
    await attacker.wire.send(victim.topic(messages.STATE), goodbye, is_retained=True)
    await attacker.hello()
    assert await victim.ask() == ("accepted", None)


@pytest.mark.parametrize("kind", [messages.PERMISSIONS, messages.CONFIG, messages.SESSION, messages.RESULT])
async def test_a_terminal_cannot_say_what_only_the_bridge_may_say(crowd, kind):
    """Neither to another terminal nor to itself, and neither a message nor the empty one that clears."""
    victim, attacker = await crowd.terminal(), await crowd.terminal(crowd.other)
    await victim.hello()
    await attacker.hello()
    before = len(victim.heard(kind)), len(attacker.heard(kind))
    for target in (MINE, OTHER):
        for payload in (b"", b"{}"):
            await attacker.wire.send(topic(target, kind), payload, is_retained=True)
    assert (await attacker.ask())[0] == "rejected"
    assert await victim.ask() == ("accepted", None)
    after = [len(terminal.heard(kind)) for terminal in (victim, attacker)]
    assert after == [number + (kind == messages.RESULT) for number in before]


async def test_a_terminal_cannot_grant_itself_permissions(crowd):
    attacker = await crowd.terminal(crowd.other)
    await attacker.hello()
    fields = {"rev": 999, "multi_user_aware": True, "blind": True, "attended": True, "classes": ["internal"]}
    await attacker.send(messages.PERMISSIONS, fields, is_retained=True)
    assert await attacker.ask() == ("rejected", "permission")
    assert not any(document["multi_user_aware"] for document in attacker.heard(messages.PERMISSIONS))
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


async def test_a_terminal_cannot_fill_the_broker_with_topics_of_its_own_making(crowd):
    terminal = await crowd.terminal()
    for name in ("nothing", "state/more", "command/" + "x" * 50):
        await terminal.wire.send(terminal.topic(messages.STATE).replace("state", name), b"x", is_retained=True)
    await terminal.hello()
    assert crowd.bridge.parts.router.refused["unknown-topic"] == 0


@pytest.mark.parametrize("will_topic", [topic(OTHER, messages.STATE), topic("", messages.BRIDGE_STATE), "else/where"])
async def test_a_will_under_somebody_elses_topic_is_not_published(crowd, make, will_topic):
    """The embedded broker refuses such a client; mosquitto accepts it, but does not publish the will."""
    victim = await crowd.terminal(crowd.other)
    await victim.hello()
    goodbye = b'{"v":1,"boot":"b001","state":"offline"}'
    wire = make.MqttWire(will_message=gmqtt.Message(will_topic, goodbye, qos=1, retain=True))
    try:
        await wire.connect(crowd.bridge.broker_port, MINE, crowd.enrolment.mqtt_password)
    except MQTTConnectError:
        assert crowd.mosquitto is None
    else:
        wire.cut()
        await make.until(lambda: wire.is_lost)
    assert await (await crowd.terminal()).hello()
    assert await victim.ask() == ("rejected", "permission")
    assert crowd.bridge.parts.router.refused.total() == 0
    states = [payload for where, payload, _ in victim.wire.published if where == topic("", messages.BRIDGE_STATE)]
    assert len(states) == 1


async def test_a_lost_connection_publishes_the_will_and_ends_the_session(crowd, make):
    will = gmqtt.Message(topic(MINE, messages.STATE), b'{"v":1,"boot":"b001","state":"offline"}', qos=1, retain=True)
    terminal = await crowd.terminal(client_id="phone", will_message=will)
    await terminal.hello()
    crowd.pbx.change_calls("101")
    terminal.wire.cut()
    terminal.wire = (await crowd.terminal()).wire
    answer = await terminal.ask()
    while answer == ("rejected", "no-call"):
        answer = await terminal.ask()
    assert answer == ("rejected", "bad-session")


@pytest.mark.parametrize("name", ODD)
async def test_a_registered_name_with_a_wildcard_in_it_opens_nothing(crowd, make, name):
    password = crowd.enrolments[name].mqtt_password
    victim = await crowd.terminal()
    await victim.hello()
    spies = [make.MqttWire(), make.MqttWire()]
    for spy, topic_filter in zip(spies, (messages.topic_filters("phoneterm", name)[0], "phoneterm/#"), strict=True):
        try:
            await spy.connect(crowd.bridge.broker_port, name, password)
        except MQTTConnectError:  # a line of mosquitto's password file that begins with # is a comment
            assert (name, crowd.mosquitto is None) == ("#", False)
            continue
        await spy.subscribe_anyhow(topic_filter)
        await victim.hello()
        stolen = victim.command()
        if not spy.is_lost:
            await spy.send(topic(MINE, messages.COMMAND), victim.encode(messages.COMMAND, stolen))
        await victim.hello()
        assert victim.results(stolen["id"]) == []
        assert spy.heard() <= {topic("", messages.BRIDGE_STATE)}
        if not spy.is_lost:
            await spy.close()
    assert crowd.pbx.asked == []


async def test_a_packet_over_the_limit_ends_its_connection_only(crowd, make):
    loud, quiet = await crowd.terminal(crowd.other), await crowd.terminal()
    await loud.wire.send(loud.topic(messages.COMMAND), b"x" * 100_000)
    await make.until(lambda: loud.wire.is_lost)
    assert await quiet.hello()
