"""TLS from the firmware to the bridge, on mosquitto as we configure it and on the embedded broker.

The terminal is the untouched firmware on the MicroPython VM, with a CA of its own to trust.
"""

import asyncio
import contextlib

import pytest
from bridge.production_mosquitto import ProductionMosquitto
from device.authority import Authority, is_possible
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm.core import messages
from phoneterm_bridge.broker_tls import make_server_context
from phoneterm_bridge.cli.terminal import device_settings
from phoneterm_bridge.connect_packet import Connect, build_connect
from phoneterm_bridge.mqtt_connection import MqttConnection, NotConnected
from phoneterm_bridge.problem import SetupProblem
from phoneterm_bridge.service import address_of, will_of
from phoneterm_bridge.settings import BrokerSettings
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

NAME = "localhost"
CONNACK = b"\x20"
LONG_AGO, FAR_AWAY = ("20200101", "20210101"), ("20700101", "20710101")


@pytest.fixture
def make_authority(tmp_path):
    """Return a function that makes a CA."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    return lambda name="authority": Authority(tmp_path / name)


@pytest.fixture
async def start(tmp_path, make, need_part, make_authority):
    """Return a coroutine that starts a bridge on a broker with TLS; it returns (scene, the broker's CA)."""
    scenes = []

    async def start_scene(broker, name=NAME, dates=None):
        authority = make_authority()
        mosquitto = ProductionMosquitto(need_part("mosquitto")) if broker == "mosquitto" else None
        files = {}
        for option, content in authority.make_server_files(name, dates).items():
            path = (mosquitto.folder if mosquitto else tmp_path) / option
            path.write_bytes(content)
            files[{"certfile": "certificate_path", "keyfile": "key_path"}[option]] = path
        if mosquitto:
            mosquitto.settings = mosquitto.settings.model_copy(
                update=files | {"host": NAME, "ca_path": authority.pem_path}
            )
        scene = make.Scene(tmp_path, broker=mosquitto.settings if mosquitto else BrokerSettings(port=0, **files))
        if mosquitto:
            mosquitto.write_config(scene.settings.store.path, "--listen=127.0.0.1")
            await mosquitto.start()
        scenes.append((scene, mosquitto))
        if dates is None and name == NAME:
            await scene.start()
        return scene, authority

    yield start_scene
    for scene, mosquitto in scenes:
        if hasattr(scene, "bridge"):
            await scene.stop()
        if mosquitto:
            await mosquitto.remove()


@pytest.fixture
async def power_on():
    """Return a coroutine that starts a phone for a scene with changed settings; it returns its client."""
    phones = []

    async def start_phone(scene, authority, **changes):
        broker = scene.settings.broker.model_copy(update={"port": scene.bridge.broker_port, "host": "127.0.0.1"})
        texts = device_settings(scene.enrolment, broker) | {"wifi_ssid": "lab", "tls_host": NAME}
        phone = VirtualPhone(texts | {"tls_ca_path": authority.der_path} | changes)
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append((phone, client))
        return client

    yield start_phone
    for phone, client in phones:
        await client.close()
        await phone.stop()


async def refusal(client):
    """Return why the terminal was refused, from its log."""
    event = await client.wait_for_event(lambda one: one["event"] == "log" and one["line"].startswith("link-refused "))
    return event["line"].partition(" ")[2]


BROKERS = pytest.mark.parametrize("broker", ["mosquitto", "embedded broker"])


@BROKERS
async def test_the_firmware_comes_to_its_permissions_over_tls(start, power_on, make, broker):
    scene, authority = await start(broker)
    client = await power_on(scene, authority)
    await client.wait_for_signal("ready", 10)
    assert "link-up connection 1" in await client.log()
    assert scene.bridge.refused.total() == 0


@BROKERS
async def test_another_authority_is_refused_and_named(start, power_on, make_authority, broker):
    scene, _ = await start(broker)
    client = await power_on(scene, make_authority("other"))
    assert await refusal(client) == "The certificate is not correctly signed by the trusted CA"


@BROKERS
async def test_another_host_name_is_refused_and_named(start, power_on, broker):
    scene, authority = await start(broker)
    client = await power_on(scene, authority, tls_host="other.lab")
    assert "does not match" in await refusal(client)


@BROKERS
async def test_who_speaks_in_the_clear_gets_no_answer_from_a_tls_broker(start, broker):
    scene, _ = await start(broker)
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.bridge.broker_port)
    writer.write(build_connect(Connect("c", "phone-101", "", 60, None, b"", 0, False)))
    with contextlib.suppress(ConnectionResetError):
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer[:1] != CONNACK
    writer.close()


async def test_a_terminal_without_tls_psk_says_so_in_one_sentence(start, power_on):
    scene, authority = await start("embedded broker")
    client = await power_on(scene, authority, tls="psk", tls_psk="00" * 16)
    await client.wait_for_signal("keypad-fault", 10)
    assert await client.log() == ["This interpreter has no TLS-PSK: use tls = ca."]


async def test_the_embedded_brokers_plain_door_is_for_the_bridge_alone(start, make):
    scene, _ = await start("embedded broker")
    back_door = scene.bridge._broker.address
    assert (back_door.host, back_door.port != scene.bridge.broker_port) == ("127.0.0.1", True)
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(back_door.port, "phone-101", scene.enrolment.mqtt_password)


@pytest.mark.parametrize(
    ("name", "dates", "reason"),
    [
        (NAME, LONG_AGO, "its certificate is not accepted: certificate has expired"),
        (NAME, FAR_AWAY, "its certificate is not accepted: certificate is not yet valid"),
        ("other.lab", None, "its certificate is not accepted: hostname mismatch, certificate is not valid for"),
    ],
)
async def test_the_bridge_refuses_a_broker_whose_certificate_is_not_right_and_says_why(start, name, dates, reason):
    scene, _ = await start("mosquitto", name, dates)
    with pytest.raises(NotConnected, match=reason):
        await try_to_connect(scene.settings.broker)


async def test_the_bridge_trusts_no_other_authority(start, make_authority):
    scene, _ = await start("mosquitto")
    settings = scene.settings.broker.model_copy(update={"ca_path": make_authority("other").pem_path})
    with pytest.raises(NotConnected, match="its certificate is not accepted: "):
        await try_to_connect(settings)


async def test_the_bridge_says_when_the_broker_has_no_tls(make_authority, tmp_path, make):
    scene = await make.Scene(tmp_path, is_embedded=True).start()
    settings = BrokerSettings(
        embedded=False, host=NAME, port=scene.bridge.broker_port, ca_path=make_authority().pem_path
    )
    with pytest.raises(NotConnected, match=r"it hangs up|there is no TLS with it"):
        await try_to_connect(settings)
    await scene.stop()


async def try_to_connect(settings):
    async def ignore(topic, payload, is_retained):
        pass

    connection = MqttConnection(address_of(settings), messages.bridge_filter("x"), will_of("x"), ignore)
    try:
        await connection.open()
    finally:
        await connection.close()


def test_a_certificate_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(SetupProblem, match=r"are not a certificate and its key in PEM form\.$"):
        make_server_context(tmp_path / "x.pem", tmp_path / "x.pem")
    with pytest.raises(SetupProblem, match=r"cannot be read \(No such file or directory\); see broker\.certificate"):
        make_server_context(tmp_path / "none.pem", tmp_path / "none.key")


def test_a_terminal_enrolled_for_tls_is_told_to_check_the_ca(make, tmp_path):
    scene = make.Scene(tmp_path)
    plain = BrokerSettings(embedded=False, host="broker.lab", allow_plain=True)
    tls = BrokerSettings(embedded=False, host="broker.lab", ca_path="ca.pem")
    assert device_settings(scene.enrolment, plain).items() >= {"tls": "off", "allow_plain": "yes"}.items()
    assert device_settings(scene.enrolment, tls).items() >= {"tls": "ca", "tls_ca_path": "ca.der"}.items()
    assert "allow_plain" not in device_settings(scene.enrolment, tls)
    scene.engine.dispose()
