"""The service as a whole: it starts or says why not, survives the loss of its broker, and stops cleanly."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from phoneterm.core import messages
from phoneterm_bridge.broker.embedded import EmbeddedBroker
from phoneterm_bridge.pbx.port import PbxRejectedLogin
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.live_directory import LiveDirectory

_CLI = "from phoneterm_bridge.cli import bridge_app; bridge_app()"


async def test_a_taken_port_is_one_sentence_that_names_it_and_the_option(broker_scene, make, tmp_path):
    port = broker_scene.bridge.broker_port
    broker = broker_scene.settings.broker.model_copy(update={"port": port})
    store = broker_scene.settings.store.model_copy(update={"path": tmp_path / "another.db"})
    settings = broker_scene.settings.model_copy(update={"broker": broker, "store": store})
    with pytest.raises(SetupProblem, match=rf"port {port} of 127\.0\.0\.1 .*--set broker\.port=PORT"):
        await Bridge(settings, make.FakePbx()).start()


async def test_a_refused_pbx_login_is_one_sentence_and_nothing_stays_behind(tmp_path, make):
    scene = make.Scene(tmp_path, is_embedded=True)
    pbx = make.FakePbx()

    async def refuse():
        raise PbxRejectedLogin("Asterisk at 127.0.0.1:5038 does not accept the login phoneterm")

    pbx.start = refuse
    with pytest.raises(SetupProblem, match=r"does not accept the login phoneterm \(pbx\.username and pbx\.secret"):
        await Bridge(scene.settings, pbx).start()
    await scene.start()
    await scene.stop()


async def test_a_wrong_digit_map_is_one_sentence(tmp_path, make):
    scene = make.Scene(tmp_path, digit_map="internal:1xx|")
    with pytest.raises(SetupProblem, match=r"phones\.digit_map is not right"):
        await Bridge(scene.settings, make.FakePbx(), make.MemoryLink()).start()
    scene.engine.dispose()


async def test_what_is_with_the_pbx_finishes_before_the_bridge_is_gone(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    scene.pbx.answering.clear()
    fields = terminal.command()
    await terminal.send(messages.COMMAND, fields)
    await make.until(lambda: scene.pbx.asked)
    stopping = asyncio.create_task(scene.bridge.stop())
    late = terminal.command("blind", "103")
    await asyncio.sleep(0)
    await terminal.send(messages.COMMAND, late)
    scene.pbx.answering.set()
    await stopping
    assert terminal.results(fields["id"]) == [("accepted", None)]
    assert terminal.results(late["id"]) == []
    assert len(scene.pbx.asked) == 1
    assert scene.link.published[-1][0] == messages.topic_of("phoneterm", "", messages.BRIDGE_STATE)


async def test_the_bridge_outlives_its_broker_with_a_clean_session_and_no_backlog(tmp_path, make):
    """The broker is a separate embedded one, used like an external one; it is killed and restarted."""
    scene = make.Scene(tmp_path)
    directory = LiveDirectory(scene.engine)
    await directory.refresh()
    broker = EmbeddedBroker("127.0.0.1", 0, "phoneterm", directory)
    await broker.start()
    address, port = broker.address, broker.port
    external = {"embedded": False, "port": port, "username": address.username, "password": address.password}
    scene.settings = scene.settings.model_copy(update={"broker": BrokerSettings(**external)})
    scene.pbx = make.FakePbx()
    scene.bridge = Bridge(scene.settings, scene.pbx)
    await scene.bridge.start()
    await make.until(lambda: scene.bridge.is_link_up)
    await broker.stop()
    await make.until(lambda: not scene.bridge.is_link_up)
    again = EmbeddedBroker("127.0.0.1", port, "phoneterm", directory, password=address.password)
    await again.start()
    await make.until(lambda: scene.bridge.is_link_up)
    wire = make.MqttWire()
    await wire.connect(port, "phone-101", scene.enrolment.mqtt_password)
    terminal = make.FakeTerminal(wire, "phone-101", scene.enrolment.mac_key)
    await wire.subscribe(*messages.topic_filters("phoneterm", "phone-101"))
    await terminal.hello()
    assert await terminal.ask() == ("accepted", None)
    await scene.bridge.stop()
    topic = messages.topic_of("phoneterm", "", messages.BRIDGE_STATE)
    offline = messages.encode(messages.BRIDGE_STATE, topic, None, {"state": "offline"})
    await make.until(lambda: wire.published[-1][:2] == (topic, offline))
    await wire.close()
    await again.stop()
    scene.engine.dispose()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_bridge_ends_with_code_0_and_no_traceback_on(tmp_path, number):
    changes = (f"store.path={tmp_path / 'b.db'}", "broker.port=0", "pbx.port=9", "log.format=json")
    options = [f"--set={change}" for change in changes]
    process = subprocess.Popen(
        [sys.executable, "-c", _CLI, "run", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        lines = []
        while "bridge-runs" not in (line := process.stderr.readline()):
            assert line, lines
            lines.append(line)
        os.kill(process.pid, number)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--set", "broker.prot=1"], "The settings have no key broker.prot; did you mean port?"),
        (["run", "--config", "missing.toml"], "The settings file missing.toml does not exist"),
        (["run", "--set", "store.path=/proc/nothing/b.db"], "The store /proc/nothing/b.db cannot be opened"),
        (["run", "--set", "broker.host=192.0.2.1"], "The broker 192.0.2.1 would be spoken to in the clear"),
        (
            ["run", "--set", "broker.host=192.0.2.1", "--set", "broker.allow_plain=true"],
            "The broker cannot listen on port 1883 of 192.0.2.1",
        ),
    ],
)
def test_a_command_that_fails_says_why_in_one_sentence(tmp_path, arguments, sentence):
    if not any("store.path" in argument for argument in arguments):
        arguments = [*arguments, "--set", f"store.path={tmp_path / 'b.db'}"]
    run = subprocess.run(
        [sys.executable, "-c", _CLI, *arguments], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
    )
    assert run.returncode == 1
    assert sentence in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
