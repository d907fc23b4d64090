"""Shared by the bridge's tests: a small but realistic PBX, link and terminals, and a bridge with them."""

import asyncio
import time
from collections import deque

import gmqtt
import pytest
from bridge.fresh_store import open_fresh_store
from gmqtt.mqtt.constants import MQTTv311
from phoneterm.core import messages, operations
from phoneterm_bridge.pbx.port import Call, Outcome
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BridgeSettings, BrokerSettings, PhoneSettings, StoreSettings
from phoneterm_bridge.settings.timing import USUAL
from phoneterm_bridge.store.directory import Directory
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

BASE = "phoneterm"
PATIENCE_S = 20


@pytest.fixture
def phoneterm(tmp_path, monkeypatch):
    """Run one command in an empty folder, as words; returns what it printed, and asserts its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*words, exit_code=0, answer=None):
        result = CliRunner().invoke(make_app((words[0],)), words, input=answer)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


class FakePbx:
    """A PBX of plain values: tests set calls and outcomes, and read the requests."""

    web_hook = None

    def __init__(self):
        self.operations = frozenset(operations.names())
        self.is_available = True
        self.is_login_refused = False
        self.now = {"101": (talking("c1"),)}
        self.numbers = {"100", "102", "103", "0301234567"}
        self.destinations = {}
        self.asked = []
        self.outcome = Outcome("accepted")
        self.answering = asyncio.Event()
        self.answering.set()
        self.listener = None

    def listen(self, listener):
        self.listener = listener

    def watch(self, endpoints):
        self.endpoints = endpoints

    async def start(self):
        self.listener.on_availability(self.is_available)

    async def stop(self):
        self.listener = None

    def calls(self, endpoint):
        return self.now.get(endpoint, ())

    def change_calls(self, endpoint, *calls):
        self.now[endpoint] = calls
        self.listener.on_calls_changed(endpoint)

    def why_ended(self, ref):
        return "no-call"

    async def is_known_number(self, context, number):
        assert context == "internal"
        return number in self.numbers

    async def destination_of(self, context, number):
        return self.destinations.get(number)

    async def _ask(self, *asked):
        self.asked.append(asked)
        await self.answering.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def carry_out(self, operation, call, target):
        if operation not in self.operations:
            return Outcome("failed", "unsupported")
        return await self._ask(operation, call.ref, *(target or ()))


def talking(ref, since_s=None, state="talking", peer="030555", lines=("trunk",)):
    since_s = time.monotonic() - 60 if since_s is None else since_s
    return Call(ref, "101", state, since_s, peer, frozenset(lines))


class MemoryLink:
    """A link without a broker: it collects what the bridge publishes in a list, and tests put messages in."""

    def __init__(self):
        self.published = []
        self.reconnects = 0
        self.hearing = set()
        self.news = asyncio.Condition()
        self.receiver = None

    async def start(self, receiver):
        self.receiver = receiver
        receiver.on_link(True)

    async def stop(self):
        self.receiver.on_link(False)

    def publish(self, topic, payload, is_retained):
        self.published.append((topic, payload, is_retained))
        return True

    def reconnect(self):
        self.reconnects += 1

    async def send(self, topic, payload, is_retained=False):
        """Return once the receiver has acknowledged the message, as a broker would see it."""
        is_taken = asyncio.Event()
        hearing = asyncio.create_task(self.receiver.on_message(topic, payload, is_retained, is_taken.set))
        self.hearing.add(hearing)
        hearing.add_done_callback(self.hearing.discard)
        hearing.add_done_callback(lambda _: is_taken.set())
        await is_taken.wait()
        if hearing.done():
            hearing.result()


class MqttWire:
    """A raw MQTT client of a test."""

    def __init__(self, client_id=None, **options):
        self.published = []
        self.granted = []
        self._client = gmqtt.Client(client_id, **options)
        self._client.set_config({"reconnect_retries": -2})
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda _, mid, granted, properties: self.granted.extend(granted)
        self.is_lost = False
        self._client.on_disconnect = self._on_disconnect

    def _on_disconnect(self, *_):
        self.is_lost = True

    def _on_message(self, _client, topic, payload, _qos, properties):
        self.published.append((topic, bytes(payload), bool(properties["retain"])))

    async def connect(self, port, username, password, keepalive=60):
        if username is not None:
            self._client.set_auth_credentials(username, password)
        await asyncio.wait_for(
            self._client.connect("127.0.0.1", port, keepalive=keepalive, version=MQTTv311), PATIENCE_S
        )

    async def subscribe(self, *filters):
        before = len(self.granted)
        for topic_filter in filters:
            self.ask_for(topic_filter)
        await until(lambda: len(self.granted) == before + len(filters))
        return self.granted[before:]

    def ask_for(self, topic_filter):
        self._client.subscribe(topic_filter, qos=1)

    async def send(self, topic, payload, is_retained=False):
        self._client.publish(topic, payload, qos=1, retain=is_retained)

    def cut(self):
        self._client._connection._transport.abort()

    async def close(self):
        await self._client.disconnect()


class FakeTerminal:
    """Speaks the wire contract for one terminal over a link or an MQTT wire."""

    def __init__(self, wire, tid, key):
        self.wire, self.tid, self.key = wire, tid, key
        self.boot = "b001"
        self.session = None
        self.session_s = 0.0
        self.sequence = 0

    def topic(self, kind):
        return messages.topic_of(BASE, self.tid, kind)

    async def send(self, kind, fields, key=None, is_retained=False):
        await self.wire.send(self.topic(kind), self.encode(kind, fields, key), is_retained)

    def encode(self, kind, fields, key=None):
        return messages.encode(kind, self.topic(kind), key or self.key, fields)

    def heard(self, kind):
        """Return all messages of a kind so far, decoded ("empty" for an empty payload)."""
        topic = self.topic(kind)
        payloads = [payload for where, payload, _ in tuple(self.wire.published) if where == topic]
        return [messages.decode(kind, topic, self.key, payload) if payload else "empty" for payload in payloads]

    async def hello(self):
        before = len(self.heard(messages.SESSION))
        fields = {"boot": self.boot, "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": ["blind", "attended"]}
        await self.send(messages.HELLO, fields)
        await until(lambda: len(self.heard(messages.SESSION)) > before)  # the last message of the answer
        self.session = self.heard(messages.SESSION)[-1]["session"]
        self.session_s = time.monotonic()
        return self.session

    def command(self, op="blind", number="102", **changes):
        """Return the fields of a valid command keyed just now."""
        self.sequence += 1
        now_ms = int((time.monotonic() - self.session_s) * 1000)
        fields = {"id": f"{self.session}.{self.sequence}", "op": op, "number": number, "first_ms": now_ms}
        return fields | {"since_ms": now_ms, "call": "c1"} | changes

    def results(self, command_id):
        found = [result for result in self.heard(messages.RESULT) if result["id"] == command_id]
        return [(result["state"], result["reason"]) for result in found]

    async def ask(self, op="blind", number="102", **changes):
        """Send a command and return its first result (state, reason)."""
        fields = self.command(op, number, **changes)
        await self.send(messages.COMMAND, fields)
        await until(lambda: self.results(fields["id"]))
        return self.results(fields["id"])[0]


async def until(condition, patience_s=PATIENCE_S):
    """Wait until a condition is true; fail if that takes too long."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, "what was waited for did not happen"
        await asyncio.sleep(0.005)


async def refused(scene, terminal, op="blind", number="102", **changes):
    """Return the reason a command is refused for; the PBX must not have been asked."""
    state, reason = await terminal.ask(op, number, **changes)
    assert state == "rejected"
    assert scene.pbx.asked == []
    return reason


class Scene:
    """A bridge with its PBX, its store and the terminal phone-101 of the user tech1.

    It is on a link in memory, unless `is_embedded` selects the embedded broker or `broker` has another one's settings.
    `clock` replaces the host's clocks.
    """

    def __init__(self, folder, is_embedded=False, broker=None, timing=USUAL, clock=None, **phone_settings):
        self.timing, self.clock = timing, clock
        self.settings = BridgeSettings(
            broker=broker or BrokerSettings(port=0), store=StoreSettings(path=folder / "bridge.db"),
            phones=PhoneSettings(**phone_settings),
        )  # fmt: skip
        self.engine = open_fresh_store(self.settings.store.path)
        self.directory = Directory(self.engine, "test")
        self.directory.add_user("tech1", True)
        self.directory.add_extension("101", "tech1")
        self.enrolment = self.directory.add_terminal("phone-101", "101")
        self.is_on_broker = is_embedded or broker is not None
        self.wires = deque()

    async def start(self):
        self.pbx = FakePbx()
        self.link = None if self.is_on_broker else MemoryLink()
        self.bridge = Bridge(self.settings, self.pbx, self.link, self.timing, self.clock)
        await self.bridge.start()
        await until(lambda: self.bridge.is_link_up)
        return self

    async def terminal(self, enrolment=None, client_id=None, **options):
        """Return a terminal that is connected and subscribed, but has not said hello."""
        enrolment = enrolment or self.enrolment
        wire = self.link
        if self.is_on_broker:
            wire = MqttWire(client_id, **options)
            await wire.connect(self.bridge.broker_port, enrolment.tid, enrolment.mqtt_password)
            self.wires.append(wire)
            assert max(await wire.subscribe(*messages.topic_filters(BASE, enrolment.tid))) < 0x80
        return FakeTerminal(wire, enrolment.tid, enrolment.mac_key)

    async def stop(self):
        for wire in self.wires:
            if not wire.is_lost:
                await wire.close()
        await self.bridge.stop()
        self.engine.dispose()


@pytest.fixture
async def scene(tmp_path):
    """A running bridge on a link in memory."""
    scene = await Scene(tmp_path).start()
    yield scene
    await scene.stop()


@pytest.fixture
async def terminal(scene):
    """A terminal that said hello."""
    terminal = await scene.terminal()
    await terminal.hello()
    return terminal


@pytest.fixture
async def broker_scene(tmp_path):
    """A running bridge with the embedded broker."""
    scene = await Scene(tmp_path, is_embedded=True).start()
    yield scene
    await scene.stop()


@pytest.fixture(params=["link in memory", "embedded broker"])
async def any_scene(request, tmp_path):
    """A running bridge, once on a link in memory and once with the embedded broker."""
    scene = await Scene(tmp_path, is_embedded=request.param == "embedded broker").start()
    yield scene
    await scene.stop()


@pytest.fixture
def make():
    """The classes and functions of this file, for tests that build their own scene."""
    return type(
        "Make", (), {"Scene": Scene, "MqttWire": MqttWire, "FakeTerminal": FakeTerminal, "FakePbx": FakePbx,
                     "MemoryLink": MemoryLink, "talking": staticmethod(talking), "until": staticmethod(until)},
    )  # fmt: skip
