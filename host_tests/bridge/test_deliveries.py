"""Terminals that have not taken what they were sent: it is sent again, and until then they are reported."""

import shutil
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from attack_lab.scenery.fresh_store import open_store_with_terminal
from bridge.clock import Clock
from phoneterm.core import messages
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.settings.timing import Timing
from phoneterm_bridge.store import troubles as kept
from phoneterm_bridge.store.database import writing
from phoneterm_bridge.terminals.deliveries import SILENT, Deliveries
from phoneterm_bridge.terminals.memory import LEAST_HEAP_BYTES, LEAST_IDF_BYTES, find_shortage
from phoneterm_bridge.terminals.troubles import Troubles
from virtual_phone.build import FIRMWARE, Build
from virtual_phone.phone import VirtualPhone

SHORT = "the memory is too short to read it"


class Desk:
    """Deliveries to the terminal t, which has said hello and was sent permissions 7 and configuration 3."""

    def __init__(self, engine):
        self.clock = Clock()
        self.troubles = Troubles(engine, lambda: int(self.clock.now_s * 1000))
        self.deliveries = Deliveries(self.troubles, self.clock)
        self.hello()

    def hello(self):
        self.deliveries.begin("t")
        self.deliveries.mark_sent("t", "permissions", 7)
        self.deliveries.mark_sent("t", "config", 3)

    def ack(self, permissions, config, error=None):
        self.deliveries.on_ack("t", {"permissions": permissions, "config": config}, error)

    def sent_within(self, seconds):
        """Let time pass as in the bridge, and return (second, what) for everything sent again."""
        begun_s, found = self.clock.now_s, []
        while self.clock.now_s < begun_s + seconds:
            self.clock.now_s += 0.25
            for tid, missing in self.deliveries.pop_due().items():
                found.append((self.clock.now_s - begun_s, missing))
                for what in missing:
                    self.deliveries.mark_sent(tid, what, {"permissions": 7, "config": 3}[what])
        return found

    def known(self):
        return [(one.what, one.detail) for one in self.troubles.standing()]


@pytest.fixture
def engine(tmp_path):
    """A store with the terminal phone-101."""
    engine, _ = open_store_with_terminal(tmp_path / "bridge.db")
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine):
    return Desk(engine)


def test_what_was_taken_is_not_sent_again(desk):
    desk.ack(7, 0)
    desk.ack(7, 3)
    assert desk.sent_within(1000) == []
    assert desk.known() == []


def test_a_terminal_that_says_nothing_is_sent_all_again_ever_more_slowly(desk):
    found = desk.sent_within(1300)
    assert [second for second, _ in found] == [5, 15, 35, 75, 155, 315, 615, 915, 1215]
    assert {tuple(missing) for _, missing in found} == {("permissions", "config")}
    assert desk.known() == [("config", SILENT), ("permissions", SILENT)]


def test_a_refused_configuration_alone_is_sent_again_until_it_is_in_force(desk):
    desk.ack(7, 0)
    desk.ack(7, 0, SHORT)
    assert desk.known() == [("config", SHORT)]
    assert desk.sent_within(20) == [(5, ["config"]), (15, ["config"])]
    desk.ack(7, 3)
    assert desk.sent_within(1000) == []
    assert desk.known() == []


def test_an_answer_to_something_older_is_no_refusal_yet(desk):
    desk.ack(6, 3)
    assert desk.known() == []
    assert desk.sent_within(5) == [(5, ["permissions"])]


def test_of_thousands_that_are_slow_to_answer_only_some_are_sent_it_again_at_once(desk):
    desk.deliveries.end("t")
    for number in range(60):
        desk.deliveries.begin(f"t{number}")
        desk.deliveries.mark_sent(f"t{number}", "config", 3)
    desk.clock.now_s += 5
    turns = [list(desk.deliveries.pop_due()) for _ in range(4)]
    assert [len(turn) for turn in turns] == [25, 25, 10, 0]
    assert len({tid for turn in turns for tid in turn}) == 60


def test_a_later_revision_than_the_one_sent_is_not_behind(desk):
    desk.ack(8, 3)
    assert desk.sent_within(1000) == []


def test_a_hello_and_another_revision_begin_anew_with_the_short_pause(desk):
    desk.sent_within(400)
    desk.hello()
    assert desk.sent_within(6) == [(5, ["permissions", "config"])]
    desk.ack(7, 3)
    desk.deliveries.mark_sent("t", "config", 4)
    assert desk.sent_within(5) == [(5, ["config"])]


def test_a_terminal_that_has_gone_is_sent_nothing_and_its_trouble_is_not_over(desk):
    desk.ack(7, 0, SHORT)
    desk.deliveries.end("t")
    assert desk.sent_within(1000) == []
    desk.ack(7, 3)
    desk.deliveries.mark_sent("t", "config", 3)
    assert desk.known() == [("config", SHORT)]
    desk.troubles.forget("t")
    assert desk.known() == []


def test_a_trouble_is_logged_once_when_it_begins_and_once_when_it_is_over(desk):
    with structlog.testing.capture_logs() as logged:
        for _ in range(5):
            desk.ack(7, 0, SHORT)
            desk.sent_within(100)
        for _ in range(3):
            desk.ack(7, 3)
    assert [(line["event"], line["what"], line.get("detail")) for line in logged] == [
        ("terminal-in-trouble", "config", SHORT), ("terminal-out-of-trouble", "config", None),
    ]  # fmt: skip


@pytest.fixture
async def impatient_scene(tmp_path, make):
    """A bridge that soon repeats what a terminal has not confirmed."""
    scene = await make.Scene(tmp_path, timing=Timing(resend_s=0.3)).start()
    yield scene
    await scene.stop()


async def test_a_configuration_that_is_refused_is_sent_again_and_can_be_read_beside_the_bridge(
    impatient_scene, make, engine_of
):
    scene = impatient_scene
    terminal = await scene.terminal()
    await terminal.hello()
    (config,), permissions = terminal.heard(messages.CONFIG), terminal.heard(messages.PERMISSIONS)[-1]
    await terminal.send(messages.ACK, {"permissions": permissions["rev"], "config": 0, "error": SHORT})
    await make.until(lambda: len(terminal.heard(messages.CONFIG)) == 2)
    assert terminal.heard(messages.CONFIG)[1] == config
    assert len(terminal.heard(messages.PERMISSIONS)) == 1
    await make.until(lambda: [(one.tid, one.what, one.detail) for one in engine_of(scene)])
    assert [(one.tid, one.what, one.detail) for one in engine_of(scene)] == [("phone-101", "config", SHORT)]
    await terminal.send(messages.ACK, {"permissions": permissions["rev"], "config": config["rev"]})
    await make.until(lambda: not engine_of(scene))


async def test_nothing_is_sent_again_while_there_is_no_broker(impatient_scene, make):
    scene = impatient_scene
    terminal = await scene.terminal()
    await terminal.hello()
    scene.bridge.events.on_link(False)
    said = len(terminal.heard(messages.CONFIG))
    due_s = time.monotonic() + scene.timing.resend_s
    await make.until(lambda: time.monotonic() > due_s)
    for _ in range(3):
        await scene.bridge.refresh()
    assert len(terminal.heard(messages.CONFIG)) == said
    scene.bridge.events.on_link(True)
    await make.until(lambda: len(terminal.heard(messages.CONFIG)) > said)


async def test_a_revoked_terminal_has_no_trouble_left(scene, make, engine_of):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.send(messages.ACK, {"permissions": 0, "config": 0, "error": SHORT})
    await make.until(lambda: engine_of(scene))
    scene.directory.revoke_terminal("phone-101")
    await make.until(lambda: not scene.bridge.parts.troubles.standing())
    assert engine_of(scene) == []


async def test_what_an_earlier_bridge_knew_goes_when_the_next_one_starts(tmp_path, make, engine_of):
    scene = make.Scene(tmp_path)
    kept.replace_all(scene.engine, [kept.Trouble("phone-101", "config", 1, SHORT)])
    assert engine_of(scene)
    await scene.start()
    await make.until(lambda: not engine_of(scene))
    await scene.stop()


async def test_a_store_that_cannot_be_written_is_told_once_and_tried_again(engine):
    troubles = Troubles(engine)
    with writing(engine) as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON troubles BEGIN SELECT RAISE(ABORT, 'no space left'); END"
        connection.exec_driver_sql(full)
    troubles.begin("phone-101", "config", SHORT)
    with structlog.testing.capture_logs() as logged:
        await troubles.keep()
        await troubles.keep()
    assert [line["event"] for line in logged] == ["troubles-not-written"]
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    await troubles.keep()
    with engine.connect() as connection:
        assert len(kept.read_all(connection)) == 1
    sa.event.listen(engine, "before_cursor_execute", lambda *_: pytest.fail("nothing has changed"))
    await troubles.keep()


async def test_a_terminal_whose_memory_was_short_comes_to_its_configuration_by_itself(broker_scene, make, tmp_path):
    """The firmware on its VM, where memory is once too short for the code that reads a configuration."""
    firmware = shutil.copytree(FIRMWARE, tmp_path / "firmware")
    reader = firmware / "phoneterm" / "core" / "digit_map_text.py"
    reader.write_text(_SHORT.read_text() + reader.read_text())
    broker = broker_scene.settings.broker.model_copy(update={"port": broker_scene.bridge.broker_port})
    settings = device_settings(broker_scene.enrolment, broker) | {"wifi_ssid": "lab"}
    phone = VirtualPhone(settings, build=Build(firmware))
    await phone.start()
    try:
        await make.until(lambda: broker_scene.bridge.parts.troubles.standing())
        assert [one[1::2] for one in broker_scene.bridge.parts.troubles.standing()] == [("config", SHORT)]
        await make.until(lambda: not broker_scene.bridge.parts.troubles.standing())
        assert broker_scene.bridge.parts.updates.deliveries.missing(broker_scene.enrolment.tid) == []
    finally:
        await phone.stop()
    assert [line for line in phone.log_lines if line.startswith("config")] == [f"config {SHORT}"]
    assert broker_scene.bridge.parts.publisher.said[messages.CONFIG] == 1


_SHORT = Path(__file__).parent / "vm_modules" / "short_at_the_second_load.py"


@pytest.fixture
def engine_of():
    """Return a function that reads the troubles in a scene's store, as another process would."""

    def read(scene):
        with scene.engine.connect() as connection:
            return kept.read_all(connection)

    return read


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, None),
        ({"idf_least": LEAST_IDF_BYTES, "heap_free": LEAST_HEAP_BYTES, "memory_restarts": 0}, None),
        ({"idf_least": 548, "idf_free": 2400}, "ESP-IDF had only 548 bytes left"),
        ({"idf_least": 24000, "heap_free": 1200}, "its heap has only 1200 bytes left"),
        ({"memory_restarts": 2, "idf_least": 548}, "it gave its link up 2 times"),
    ],
)
def test_which_telemetry_is_short_of_memory(fields, words):
    shortage = find_shortage(fields)
    assert words is None if shortage is None else shortage.startswith(words)


async def test_a_terminal_that_is_short_of_memory_is_in_trouble_until_it_no_longer_is(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.send(messages.TELEMETRY, {"uptime_s": 60, "idf_least": 548})
    await terminal.send(messages.TELEMETRY, {"uptime_s": 120, "idf_least": 548})
    assert [one.what for one in scene.bridge.parts.troubles.standing()] == ["memory"]
    assert scene.bridge.parts.health.troubled() == {"memory": "The terminal phone-101 is short of memory."}
    await terminal.send(messages.TELEMETRY, {"uptime_s": 5, "idf_least": 30000})
    assert scene.bridge.parts.health.troubled() == {}
