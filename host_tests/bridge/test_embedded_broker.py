"""Behaviour of the embedded broker only; test_access has the access rules of both brokers."""

import asyncio

import psutil
import pytest
from phoneterm.core import messages
from phoneterm_bridge.broker.connect_packet import Connect, build_connect

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


async def test_a_silent_client_is_cut_off_after_its_keepalive(broker_scene, make):
    reader, writer = await asyncio.open_connection("127.0.0.1", broker_scene.bridge.broker_port)
    writer.write(connect_of(broker_scene.enrolment, "c", 1))
    assert await asyncio.wait_for(reader.readexactly(4), 5) == b"\x20\x02\x00\x00"
    assert await asyncio.wait_for(reader.read(), 4) == b""
    writer.close()


async def test_a_client_that_has_gone_right_after_its_connect_keeps_nobody_out(broker_scene):
    """Its radio may have failed at that moment: it comes back under the same client id."""
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", broker_scene.bridge.broker_port)
        writer.write(connect_of(broker_scene.enrolment, "same", 60))
        writer.close()
        await writer.wait_closed()
    terminal = await broker_scene.terminal(client_id="same")
    assert await terminal.hello()


def connect_of(enrolment, client_id, keepalive_s):
    """Return the CONNECT of a terminal, with its password."""
    packet = bytearray(build_connect(Connect(client_id, enrolment.tid, "", keepalive_s, None, b"", 0, False)))
    password = enrolment.mqtt_password.encode()
    packet += len(password).to_bytes(2, "big") + password
    packet[1] += 2 + len(password)
    packet[9] |= 0x40
    return packet


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


async def test_it_listens_on_loopback_only_unless_told_otherwise(broker_scene):
    sockets = [socket.laddr for socket in psutil.Process().net_connections("inet") if socket.status == "LISTEN"]
    assert {where.ip for where in sockets if where.port == broker_scene.bridge.broker_port} == {"127.0.0.1"}
