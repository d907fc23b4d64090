"""Whatever arrives from outside, the bridge goes on, logs one line, and does not ask the PBX."""

import asyncio
import json

import pytest
from attack_lab.scenery.waiting import until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phoneterm.core import mac, messages

GARBAGE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe",
    b"{}\nffffffffffffffffffffffffffffffff",
    b'{"v":1}',
    b"x" * 10_000,
    b"[" * 5_000,
    b'{"a":' * 100,
    b"{'v': 1}\n" + b"0" * 32,
]
TOPICS = [
    "phoneterm/v1/t/phone-101/up/nothing",
    "phoneterm/v1/t/phone-101/down/permissions",
    "phoneterm/v1/t/phone-101",
    "phoneterm/v1/t//up/command",
    "phoneterm/v1/t/PHONE/up/command",
    "phoneterm/v1/t/nobody/up/command",
    "phoneterm/v1/bridge/state",
    "phoneterm/v2/t/phone-101/up/command",
    "else/where",
    "",
    "ü/\n/x",
]


@pytest.mark.parametrize("kind", [messages.HELLO, messages.STATE, messages.COMMAND, messages.ACK, messages.TELEMETRY])
async def test_garbage_of_every_kind_is_survived(any_scene, kind):
    terminal = await any_scene.terminal()
    for payload in GARBAGE:
        await terminal.wire.send(terminal.topic(kind), payload)
        if any_scene.is_on_broker and len(payload) > messages.MAX_PAYLOAD_BYTES:  # the door ends the connection
            wire = terminal.wire
            await until(lambda wire=wire: wire.is_lost)
            terminal = await any_scene.terminal()
    await terminal.hello()
    assert any_scene.pbx.asked == []
    assert await terminal.ask() == ("accepted", None)


async def test_unknown_topics_and_terminals_are_survived(scene):
    terminal = await scene.terminal()
    for topic in TOPICS:
        await scene.link.send(topic, terminal.encode(messages.HELLO, _hello()))
    assert terminal.heard(messages.SESSION) == []
    await terminal.hello()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", 5),
        ("id", "x" * 33),
        ("op", "explode"),
        ("op", ["blind"]),
        ("number", ""),
        ("number", "1" * 300),
        ("number", "10\r\nAction: Originate"),
        ("number", "１０２"),
        ("number", "/.*/"),
        ("number", "**102"),
        ("number", 102),
        ("first_ms", -1),
        ("first_ms", "0"),
        ("first_ms", 1.5),
        ("first_ms", True),
        ("since_ms", 2**40),
        ("since_ms", None),
        ("call", "c1\n"),
        ("call", {}),
        ("v", 2),
        ("v", "1"),
    ],
)
async def test_a_signed_command_with_a_wrong_field_is_refused_before_anything(scene, field, value):
    terminal = await scene.terminal()
    await terminal.hello()
    fields = {"v": 1} | terminal.command() | {field: value}
    await scene.link.send(terminal.topic(messages.COMMAND), sign(terminal, messages.COMMAND, fields))
    assert scene.pbx.asked == []
    assert terminal.heard(messages.RESULT) == []
    assert await terminal.ask() == ("accepted", None)


async def test_a_hello_of_another_wire_version_gets_no_session(scene):
    terminal = await scene.terminal()
    await terminal.send(messages.HELLO, _hello() | {"wire": [2, 3]})
    assert terminal.heard(messages.SESSION) == []


async def test_a_mistake_of_our_own_concerns_one_message_only(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    calls, scene.pbx.calls = scene.pbx.calls, None
    await terminal.send(messages.COMMAND, terminal.command())
    scene.pbx.calls = calls
    assert await terminal.ask() == ("accepted", None)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(topic=st.text(max_size=60) | st.sampled_from(TOPICS), payload=st.binary(max_size=600), is_retained=st.booleans())
def test_nothing_that_arrives_raises(lonely_bridge, topic, payload, is_retained):
    loop, events = lonely_bridge
    loop.run_until_complete(events.on_message(topic, payload, is_retained, lambda: None))


@pytest.fixture
def lonely_bridge(tmp_path, make):
    """A bridge's message router, on its own event loop, for hypothesis."""
    loop = asyncio.new_event_loop()
    scene = loop.run_until_complete(make.Scene(tmp_path).start())
    yield loop, scene.bridge.events
    loop.run_until_complete(scene.stop())
    loop.close()


def sign(terminal, kind, fields):
    """Return a signed payload without the checks of messages.encode."""
    text = json.dumps(fields)
    return f"{text}\n{mac.sign(terminal.key, (terminal.topic(kind) + chr(10) + text).encode())}".encode()


def _hello():
    return {"boot": "b001", "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": []}


async def test_every_refused_message_is_counted_by_its_reason(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.send(messages.COMMAND, terminal.command(), key=b"another key")
    await terminal.send(messages.ACK, {"permissions": 1, "config": 1}, key=b"another key")
    await scene.link.send(terminal.topic(messages.COMMAND), json.dumps({"v": 1} | terminal.command()).encode())
    await terminal.send(messages.COMMAND, terminal.command(), is_retained=True)
    await scene.link.send(terminal.topic(messages.TELEMETRY), b"x" * 600)
    await scene.link.send(terminal.topic(messages.STATE).replace("phone-101", "nobody"), b"{}")
    await scene.link.send("phoneterm/v1/t/phone-101/up/nothing", b"{}")
    assert scene.bridge.parts.router.refused == {
        "bad-signature": 3, "retained": 1, "too-long": 1, "unknown-terminal": 1, "unknown-topic": 1,
    }  # fmt: skip
    assert scene.pbx.asked == []
