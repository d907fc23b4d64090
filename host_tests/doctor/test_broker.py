"""The doctor's findings at brokers: a real mosquitto, correctly and wrongly configured, and the embedded one."""

import asyncio
import json
import ssl

import pytest
from attack_lab.scenery.fake_pbx import FakePbx
from attack_lab.scenery.fake_terminal import BASE, FakeTerminal
from attack_lab.scenery.mqtt_wire import MqttWire
from attack_lab.scenery.production_mosquitto import BRIDGE_PASSWORD, ProductionMosquitto
from attack_lab.scenery.scene import Scene
from attack_lab.scenery.waiting import until
from device.authority import Authority, is_possible
from doctor.reading import change_of, problems, verdicts
from phoneterm.core import messages
from phoneterm_bridge.assembly import address_of, will_of
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.doctor.broker import examine_broker
from phoneterm_bridge.doctor.certificate import examine_server
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN
from phoneterm_bridge.doctor.login import ProbeLogin, read_probe_login
from phoneterm_bridge.mqtt.connection import MqttConnection, NotConnected
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BrokerSettings


@pytest.fixture
async def start(tmp_path, need_part):
    """Return a function that starts a mosquitto with changed files; it returns (scene, settings, probe)."""
    started = []

    async def start_one(change=None, **options):
        mosquitto = ProductionMosquitto(need_part("mosquitto"), **options)
        scene = Scene(tmp_path, broker=mosquitto.settings)
        probe = scene.directory.add_terminal("probe", "101")
        mosquitto.write_config(scene.settings.store.path)
        if change is not None:
            change(mosquitto.folder)
        await mosquitto.start()
        started.append((mosquitto, scene))
        return scene, mosquitto.settings, ProbeLogin("probe", probe.mqtt_password)

    yield start_one
    for mosquitto, scene in started:
        scene.engine.dispose()
        await mosquitto.remove()


def change_rules(*more):
    """Return a change that adds rules to the access file."""

    def change(folder):
        with (folder / "phoneterm.access").open("a") as file:
            file.write("\n".join(more) + "\n")

    return change


def add_line(line):
    """Return a change that adds one line to mosquitto.conf, for its last listener."""

    def change(folder):
        with (folder / "mosquitto.conf").open("a") as file:
            file.write(f"{line}\n")

    return change


def change_config(old, new):
    """Return a change of one line of mosquitto.conf."""

    def change(folder):
        text = (folder / "mosquitto.conf").read_text()
        assert old in text
        (folder / "mosquitto.conf").write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("line", "words", "fix"),
    [
        ("max_keepalive 10", "max_keepalive is less than broker.keepalive_s (15)", "max_keepalive 15"),
        ("max_qos 0", "retain_available must be true, max_qos 1 or 2", "retain_available true"),
        ("retain_available false", "retain_available must be true, max_qos 1 or 2", "retain_available true"),
        ("max_packet_size 60", "max_packet_size, if there is one, large enough", "max_packet_size as"),
    ],
)
async def test_a_limit_of_the_broker_is_named_by_the_bridge_and_by_the_doctor(start, line, words, fix):
    _, settings, _ = await start(add_line(line))
    settings = settings.model_copy(update={"keepalive_s": 15})
    with pytest.raises(NotConnected) as caught:
        await MqttConnection(address_of(settings), f"{BASE}/t/+/up/#", will_of(BASE), None).open()
    assert words in str(caught.value)
    found = await examine_broker(settings, is_bridge_down=True)
    (sentence,) = problems(found)
    assert fix in change_of(found, sentence)


async def test_a_message_that_is_too_large_for_the_broker_is_named_once_the_connection_is_lost(start):
    _, settings, _ = await start(add_line("max_packet_size 300"))
    connection = MqttConnection(address_of(settings), f"{BASE}/t/+/up/#", will_of(BASE), None)
    await connection.open()
    connection.publish(f"{BASE}/t/t101/down/config", b"x" * 300, True)
    await connection.wait_lost()
    assert "the broker's max_packet_size is too small" in connection.why_lost
    await connection.close()


async def test_a_mosquitto_as_we_configure_it_has_no_problem(start):
    _, settings, probe = await start()
    found = await examine_broker(settings, probe)
    assert problems(found) == []
    assert verdicts(found, "refuses clients without a login") == [OK]
    assert verdicts(found, "the terminal probe could not say the bridge's state, speak to itself") == [OK]
    assert verdicts(found, "bridge's own login was not tried") == [UNKNOWN]


async def test_with_the_bridge_down_its_login_and_speaking_as_another_are_tried(start):
    _, settings, probe = await start()
    found = await examine_broker(settings, probe, is_bridge_down=True)
    assert {finding.verdict for finding in found} == {OK}
    assert verdicts(found, "lets the bridge in as bridge") == [OK]
    assert verdicts(found, "could not say the bridge's state, speak to itself as the bridge does, give commands") == [
        OK
    ]


async def test_a_bridge_that_works_is_not_pushed_out(start):
    scene, settings, probe = await start()
    bridge = Bridge(scene.settings, FakePbx())
    await bridge.start()
    await until(lambda: bridge.is_link_up)
    assert problems(await examine_broker(settings, probe)) == []
    found = await examine_broker(settings, probe, is_bridge_down=True)
    assert verdicts(found, "--bridge-is-down was ignored") == [UNKNOWN] and problems(found) == []
    assert (bridge.is_link_up, bridge.parts.health.link_losses) == (True, 0)
    await bridge.stop()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["pattern readwrite #"], "read what is said by or to other terminals"),
        (["topic readwrite #", "pattern readwrite #"], "give commands as another terminal"),
        (["pattern write phoneterm/+/t/%u/#"], "can speak to itself as the bridge does."),
        (["pattern write phoneterm/+/bridge/state"], "can say the bridge's state."),
    ],
)
async def test_rules_that_allow_too_much_are_a_problem(start, rules, words):
    scene, settings, probe = await start(change_rules(*rules))
    other = await scene_terminal(scene, settings)
    found = problems(await examine_broker(settings, probe))
    await other.close()
    assert len(found) == 1 and words in found[0], found


async def test_a_terminal_that_can_speak_as_another_is_found_with_the_bridge_down(start):
    _, settings, probe = await start(change_rules("pattern write phoneterm/+/t/+/up/#"))
    assert problems(await examine_broker(settings, probe)) == []
    found = problems(await examine_broker(settings, probe, is_bridge_down=True))
    assert found == ["At the broker the terminal probe can give commands as another terminal."]


async def test_strangers_and_no_rules_at_all_are_problems(start):
    def open_all(folder):
        change_config("allow_anonymous false", "allow_anonymous true")(folder)
        change_config("acl_file", "# acl_file")(folder)
        change_config("use_username_as_clientid true", "")(folder)

    _, settings, _ = await start(open_all)
    found = problems(await examine_broker(settings))
    assert "lets strangers in, without any login" in found[0]
    assert "a stranger without a login can give commands as another terminal" in found[1]


async def test_wrong_passwords_are_problems(start):
    _, settings, probe = await start()
    found = await examine_broker(settings, probe._replace(password="wrong"))
    assert problems(found) == ["The broker refuses the login of the terminal probe."]
    wrong = settings.model_copy(update={"password": settings.password.__class__("another one")})
    found = problems(await examine_broker(wrong, probe, is_bridge_down=True))
    assert found == ["The broker refuses the bridge's login bridge."]


def put_files(files, *more):
    """Return a change that adds files to mosquitto's configuration, by the option that names each, and lines."""

    def seen(folder, option):
        config = (folder / "mosquitto.conf").read_text()
        return config.partition("acl_file ")[2].partition("/phoneterm.access")[0] + f"/{option}"

    def change(folder):
        for option, content in files.items():
            (folder / option).write_bytes(content)
            (folder / option).chmod(0o644)
        lines = [*(f"{option} {seen(folder, option)}" for option in files), *more]
        with (folder / "mosquitto.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")

    return change


@pytest.fixture
def authority(tmp_path):
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    return Authority(tmp_path / "authority")


@pytest.fixture
async def start_strict(start, authority, tmp_path):
    """Return a function that starts a mosquitto that requires certificates; it returns the settings for it."""

    async def start_one(whose):
        files = authority.make_server_files("localhost", ("20200101", "20700101"))
        files["cafile"] = authority.pem_path.read_bytes()
        _, settings, _ = await start(put_files(files, "require_certificate true"))
        changes = {"host": "localhost", "ca_path": authority.pem_path}
        if whose != "nobody":
            owner = authority if whose == "its clients" else Authority(tmp_path / "other")
            changes |= zip(
                ("client_certificate_path", "client_key_path"), owner.make_client_files("bridge"), strict=True
            )
        return settings.model_copy(update=changes)

    return start_one


async def test_a_broker_that_asks_for_certificates_is_shown_the_bridges(start_strict):
    found = await examine_broker(await start_strict("its clients"))
    assert problems(found) == []
    assert verdicts(found, "it is accepted for localhost") == [OK]
    assert verdicts(found, "refuses clients without a login") == [OK]


@pytest.mark.parametrize("whose", ["nobody", "another authority"])
async def test_a_broker_that_wants_another_certificate_from_the_bridge_is_a_problem(start_strict, whose):
    found = await examine_broker(await start_strict(whose))
    (sentence,) = problems(found)
    assert "wants another certificate from it: " in sentence
    assert "client_certificate_path" in change_of(found, "wants another certificate")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_bridges_certificate_is_shown_in_the_handshake_of_either_tls(authority, tmp_path, version):
    """With TLS 1.2 a client without one never completes the handshake."""
    for option, content in authority.make_server_files("localhost", ("20200101", "20700101")).items():
        (tmp_path / option).write_bytes(content)
    context = make_server_context(tmp_path / "certfile", tmp_path / "keyfile", authority.pem_path)
    context.minimum_version = context.maximum_version = version
    server = await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0, ssl=context)
    paths = authority.make_client_files("bridge")
    settings = BrokerSettings(
        embedded=False, host="localhost", port=server.sockets[0].getsockname()[1], ca_path=authority.pem_path,
        client_certificate_path=paths[0], client_key_path=paths[1],
    )  # fmt: skip
    (found,) = await examine_server(settings)
    server.close()
    assert (found.verdict, "it is accepted for localhost" in found.sentence) == (OK, True)


async def test_a_certificate_of_the_bridge_that_cannot_be_read_is_one_sentence(authority, tmp_path):
    own = {"client_certificate_path": tmp_path / "none.pem", "client_key_path": tmp_path / "none.key"}
    settings = BrokerSettings(embedded=False, host="localhost", port=1, ca_path=authority.pem_path, **own)
    (found,) = await examine_server(settings)
    assert found.verdict == PROBLEM
    assert "broker.client_certificate_path" in found.sentence


@pytest.mark.parametrize(
    ("name", "dates", "words"),
    [
        ("localhost", ("20200101", "20700101"), "it is accepted for localhost"),
        ("localhost", ("20200101", "20210101"), "certificate has expired"),
        ("elsewhere", ("20200101", "20700101"), "hostname mismatch"),
    ],
)
async def test_the_certificate_of_a_mosquitto(start, authority, name, dates, words):
    _, settings, _ = await start(put_files(authority.make_server_files(name, dates)))
    settings = settings.model_copy(update={"host": "localhost", "ca_path": authority.pem_path})
    found = await examine_broker(settings)
    is_good = words.startswith("it is")
    assert verdicts(found, words) == [OK if is_good else PROBLEM]
    assert bool(verdicts(found, "because of its certificate")) is not is_good


async def test_a_broker_that_is_not_there_is_one_sentence():
    settings = BrokerSettings(embedded=False, port=1, password=BRIDGE_PASSWORD)
    assert problems(await examine_broker(settings)) == ["The broker 127.0.0.1:1 cannot be used: connection refused."]


async def test_the_embedded_broker_of_a_bridge_that_runs(tmp_path):
    scene = await Scene(tmp_path, is_embedded=True).start()
    settings = scene.settings.broker.model_copy(update={"port": scene.bridge.broker_port})
    found = await examine_broker(settings)
    assert {finding.verdict for finding in found} == {OK}
    file = tmp_path / "probe.json"
    file.write_text(json.dumps(device_settings(scene.enrolment, settings)))
    found = await examine_broker(settings, read_probe_login(file))
    assert problems(found) == [] and verdicts(found, "the terminal phone-101 could not") == [OK]
    await scene.stop()


async def test_the_embedded_broker_of_a_bridge_that_does_not_run():
    found = await examine_broker(BrokerSettings(port=1))
    assert [finding.verdict for finding in found] == [OK] and "does not run" in found[0].sentence


async def scene_terminal(scene, settings):
    """Return another terminal's connection, which has said that it is online."""
    wire = MqttWire(None)
    await wire.connect(settings.port, "phone-101", scene.enrolment.mqtt_password)
    terminal = FakeTerminal(wire, "phone-101", scene.enrolment.mac_key)
    await terminal.send(messages.STATE, {"boot": "b001", "state": "online"}, is_retained=True)
    await wire.subscribe(*messages.topic_filters(BASE, "phone-101"))
    return wire
