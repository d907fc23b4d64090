"""The real process: how it ends on a signal, and what it does and logs while broker and PBX come and go."""

import asyncio
import signal

import pytest
from attack_lab.scenery.fresh_store import open_store_with_terminal
from bridge.running_bridge import RunningBridge
from pbx.proxy import AmiProxy
from pbx_simulator.simulator_lab import SimulatorLab
from phoneterm.core import messages
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.journal_proof import prove


class HoldingProxy(AmiProxy):
    """Stops forwarding at the first blind transfer, until it is told to go on."""

    def __init__(self, settings):
        super().__init__(settings)
        self.is_to_hold = True
        self.released = asyncio.Event()
        self.is_holding = asyncio.Event()

    async def pass_actions(self, reader, writer, back):
        proxy = self

        class Checks:
            async def read(self, most):
                data = await reader.read(most)
                if proxy.is_to_hold and b"BlindTransfer" in data:
                    proxy.is_holding.set()
                if proxy.is_holding.is_set():
                    await proxy.released.wait()
                return data

        await super().pass_actions(Checks(), writer, back)


class Desk:
    """A simulated PBX behind a proxy, a store, a bridge process on both, and the terminal phone-101 in a call."""

    def __init__(self, folder, make):
        self.folder, self.make = folder, make
        self.store_path = folder / "bridge.db"
        engine, self.enrolment = open_store_with_terminal(self.store_path)
        engine.dispose()

    async def __aenter__(self):
        self.lab = SimulatorLab()
        await self.lab.start()
        self.proxy = await HoldingProxy(self.lab.ami).__aenter__()
        self.bridge = await RunningBridge(*self.settings()).__aenter__()
        self.port = (await self.bridge.event("bridge-runs"))["broker_port"]
        await self.bridge.event("pbx-available")
        self.wire = self.make.MqttWire()
        await self.wire.connect(self.port, "phone-101", self.enrolment.mqtt_password)
        await self.wire.subscribe(*messages.topic_filters("phoneterm", "phone-101"))
        self.terminal = self.make.FakeTerminal(self.wire, "phone-101", self.enrolment.mac_key)
        return self

    async def __aexit__(self, *_):
        self.proxy.released.set()
        await self.bridge.__aexit__()
        if not self.wire.is_lost:
            await self.wire.close()
        await self.proxy.__aexit__()
        await self.lab.stop()

    def settings(self):
        ami = self.proxy.ami
        return (
            f"store.path={self.store_path}", f"pbx.port={ami.port}", f"pbx.username={ami.username}",
            f"pbx.secret={ami.secret}",
        )  # fmt: skip

    async def key_a_transfer(self):
        """Start a call and send a transfer; the PBX gets it but cannot answer yet. Return its id."""
        command_id = await self.send_a_transfer()
        await asyncio.wait_for(self.proxy.is_holding.wait(), 30)
        return command_id

    async def send_a_transfer(self):
        await self.lab.place_call("103", "101")
        await self.terminal.hello()
        await self.make.until(lambda: self.terminal.heard(messages.CALL)[-1]["state"] == "talking")
        fields = self.terminal.command(call=self.terminal.heard(messages.CALL)[-1]["call"])
        await self.terminal.send(messages.COMMAND, fields)
        return fields["id"]

    def states(self):
        """Return the bridge states and results that the terminal received, in order."""
        found = []
        for topic, payload, _ in self.wire.published:
            kind = messages.parse_topic("phoneterm", topic)[1]
            if kind in (messages.RESULT, messages.BRIDGE_STATE):
                key = self.enrolment.mac_key if kind == messages.RESULT else None
                found.append(messages.decode(kind, topic, key, payload)["state"])
        return found


@pytest.fixture
async def desk(tmp_path, make):
    async with Desk(tmp_path, make) as desk:
        yield desk


def last_result(store_path):
    engine = open_store(store_path)
    try:
        assert prove(engine).problem is None
        with engine.connect() as connection:
            rows = connection.execute(tables.lines.select().order_by(tables.lines.c.seq, tables.lines.c.part)).all()
        return [row.word for row in rows if row.stage == "result"][-1]
    finally:
        engine.dispose()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_command_that_is_with_the_pbx_finishes_and_offline_is_said_last(desk, number):
    await desk.key_a_transfer()
    late = desk.terminal.command("blind", "102")
    desk.bridge.signal(number)
    await desk.bridge.event("bridge-stops")
    await desk.terminal.send(messages.COMMAND, late)
    desk.proxy.released.set()
    assert await desk.bridge.exit_code() == 0
    await desk.make.until(lambda: desk.wire.is_lost)
    assert desk.states() == ["online", "accepted", "done", "offline"]
    assert desk.terminal.results(late["id"]) == []
    assert desk.proxy.actions.count("BlindTransfer") == 1
    assert desk.bridge.events()[-1] == "bridge-stopped"


async def test_a_pbx_that_hangs_does_not_keep_the_bridge_and_the_command_is_unknown(desk):
    await desk.key_a_transfer()
    desk.bridge.signal(signal.SIGTERM)
    assert await desk.bridge.exit_code() == 0
    await desk.make.until(lambda: desk.wire.is_lost)
    assert desk.states()[-2:] == ["unknown", "offline"]
    assert last_result(desk.store_path) == "unknown"


async def test_a_second_signal_does_not_wait_for_the_pbx(desk):
    await desk.key_a_transfer()
    desk.bridge.signal(signal.SIGTERM)
    await desk.bridge.event("bridge-stops")
    desk.bridge.signal(signal.SIGTERM)
    left = await desk.bridge.event("left-with-the-pbx")
    assert (left["commands"], left["is_hurried"]) == (1, True)
    assert await desk.bridge.exit_code() == 0
    await desk.make.until(lambda: desk.wire.is_lost)
    assert desk.states()[-1] == "offline"
    async with RunningBridge(*desk.settings()) as again:
        await again.event("bridge-runs")
        again.signal(signal.SIGTERM)
        assert await again.exit_code() == 0
    assert last_result(desk.store_path) == "unknown"
    assert desk.proxy.actions.count("BlindTransfer") == 0  # it was held back, and was not sent a second time


async def test_a_signal_ends_a_bridge_whose_broker_is_not_there(tmp_path, unused_tcp_port):
    settings = (f"store.path={tmp_path / 'b.db'}", "pbx.port=9", "broker.embedded=false")
    async with RunningBridge(*settings, f"broker.port={unused_tcp_port}") as bridge:
        await bridge.event("broker-away")
        bridge.signal(signal.SIGTERM)
        assert await bridge.exit_code() == 0
    assert bridge.events().count("broker-away") == 1


async def test_a_signal_ends_a_bridge_whose_broker_and_pbx_take_connections_and_say_nothing(tmp_path, make):
    peers = []

    async def say_nothing(_reader, writer):
        peers.append(writer)

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = (f"store.path={tmp_path / 'b.db'}", "broker.embedded=false", f"broker.port={port}", f"pbx.port={port}")
    async with RunningBridge(*settings) as bridge:
        await make.until(lambda: len(peers) == 2, 30)
        bridge.signal(signal.SIGTERM)  # in the middle of its start
        assert await bridge.exit_code() == 0
    server.close()
    for writer in peers:
        writer.close()


async def test_a_pbx_that_restarts_is_logged_once_when_it_goes_and_once_when_it_is_back(tmp_path):
    lab = SimulatorLab()
    await lab.start()
    proxy = await AmiProxy(lab.ami).__aenter__()
    settings = (f"pbx.port={proxy.ami.port}", f"pbx.username={lab.ami.username}", f"pbx.secret={lab.ami.secret}")
    async with RunningBridge(f"store.path={tmp_path / 'b.db'}", *settings) as bridge:
        await bridge.event("pbx-available")
        await proxy.__aexit__()
        await bridge.event("pbx-away")
        await asyncio.sleep(1)  # it tries several times meanwhile
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", proxy.ami.port)
        await bridge.event("pbx-available", 2)
        server.close()
        proxy.cut()
        await bridge.event("pbx-away", 2)
        bridge.signal(signal.SIGTERM)
        assert await bridge.exit_code() == 0
    told = [name for name in bridge.events() if name.startswith("pbx")]
    assert told == ["pbx-available", "pbx-away", "pbx-available", "pbx-away"]
    await lab.stop()


async def test_a_pbx_that_is_not_there_at_the_start_is_logged_once(tmp_path, unused_tcp_port):
    async with RunningBridge(f"store.path={tmp_path / 'b.db'}", f"pbx.port={unused_tcp_port}") as bridge:
        await bridge.event("bridge-runs")
        await asyncio.sleep(1)
        bridge.signal(signal.SIGTERM)
        assert await bridge.exit_code() == 0
    assert [name for name in bridge.events() if name.startswith("pbx")] == ["pbx-not-there"]


@pytest.mark.parametrize("is_passed_on", [True, False])
async def test_an_answer_that_is_cut_off_is_unknown_and_nobody_asks_again(desk, is_passed_on):
    desk.proxy.is_to_hold = False
    desk.proxy.cut_at("BlindTransfer", is_passed_on)
    command_id = await desk.send_a_transfer()
    await desk.bridge.event("pbx-available", 2)
    await desk.make.until(lambda: desk.terminal.results(command_id))
    assert desk.terminal.results(command_id)[0] == ("unknown", None)
    told = "idle" if is_passed_on else "talking"  # the result is read from the PBX's calls
    await desk.make.until(lambda: desk.terminal.heard(messages.CALL)[-1]["state"] == told)
    assert desk.proxy.actions.count("BlindTransfer") == 1
    desk.bridge.signal(signal.SIGTERM)
    assert await desk.bridge.exit_code() == 0
    assert desk.proxy.actions.count("BlindTransfer") == 1


async def test_a_pbx_that_reads_no_more_is_noticed_and_found_again(desk):
    command_id = await desk.key_a_transfer()
    await desk.bridge.event("pbx-away")
    assert desk.terminal.results(command_id) == [("unknown", None)]
    desk.proxy.is_to_hold = False
    desk.proxy.is_holding.clear()
    await desk.bridge.event("pbx-available", 2)
    desk.bridge.signal(signal.SIGTERM)
    assert await desk.bridge.exit_code() == 0
