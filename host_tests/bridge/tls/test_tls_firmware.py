"""TLS from the untouched firmware on the MicroPython VM to the bridge, on mosquitto and on the embedded broker.

The terminal has a CA of its own to trust, and a certificate where the broker asks for one.
"""

import asyncio
import contextlib

import pytest
from bridge.tls.tls_names import refusal
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.settings.bridge import BrokerSettings

CONNACK = b"\x20"

BROKERS = pytest.mark.parametrize("broker", ["mosquitto", "mosquitto-2.0", "embedded broker"])


@BROKERS
async def test_the_firmware_comes_to_its_permissions_and_its_configuration_over_tls(start, power_on, make, broker):
    scene, authority = await start(broker)
    client = await power_on(scene, authority)
    await client.wait_for_signal("ready")
    assert "link-up connection 1" in await client.log()
    await make.until(lambda: not scene.bridge.parts.updates.deliveries.missing(scene.enrolment.tid))
    assert scene.bridge.parts.router.refused.total() == 0


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
        answer = await asyncio.wait_for(reader.read(), 20)
        assert answer[:1] != CONNACK
    writer.close()


def own_files(authority):
    """Return the settings of a terminal with a certificate of an authority."""
    certificate, key = authority.make_client_files("phone-101")
    return {"tls_cert_path": str(certificate.with_suffix(".der")), "tls_key_path": str(key.with_suffix(".der"))}


@BROKERS
async def test_a_broker_that_asks_for_certificates_lets_the_firmware_in_with_its_own(
    start, power_on, make_authority, broker
):
    clients = make_authority("clients")
    scene, authority = await start(broker, client_ca=clients)
    client = await power_on(scene, authority, **own_files(clients))
    await client.wait_for_signal("ready")


@BROKERS
@pytest.mark.parametrize("whose", ["nobody", "another authority"])
async def test_a_broker_that_asks_for_certificates_takes_no_other(start, power_on, make_authority, broker, whose):
    scene, authority = await start(broker, client_ca=make_authority("clients"))
    own = own_files(make_authority("other")) if whose == "another authority" else {}
    client = await power_on(scene, authority, **dict.fromkeys(("tls_cert_path", "tls_key_path")) | own)
    event = await client.wait_for_event(lambda one: one["event"] == "log" and "no TLS with it" in one["line"])
    assert event["line"].startswith(("link-lost ", "link-refused "))
    assert not [line for line in await client.log() if line.startswith("link-up")]


@BROKERS
async def test_what_is_no_certificate_is_one_sentence_on_the_terminal(
    start, power_on, make_authority, tmp_path, broker
):
    clients = make_authority("clients")
    scene, authority = await start(broker, client_ca=clients)
    (tmp_path / "no-key").write_text("nothing")
    client = await power_on(scene, authority, **own_files(clients) | {"tls_key_path": str(tmp_path / "no-key")})
    await client.wait_for_signal("keypad-fault")
    (line,) = await client.log()
    assert line.startswith("The setting tls_key_path does not name a file in DER form: ")


async def test_the_embedded_brokers_plain_door_is_for_the_bridge_alone(start, make):
    scene, _ = await start("embedded broker")
    back_door = scene.bridge.parts.broker.address
    assert (back_door.host, back_door.port != scene.bridge.broker_port) == ("127.0.0.1", True)
    with pytest.raises(MQTTConnectError):
        await make.MqttWire().connect(back_door.port, "phone-101", scene.enrolment.mqtt_password)


def test_a_terminal_is_enrolled_for_the_tls_of_its_broker(make, tmp_path):
    scene = make.Scene(tmp_path)
    plain = BrokerSettings(embedded=False, host="broker.lab", allow_plain=True)
    tls = BrokerSettings(embedded=False, host="broker.lab", ca_path="ca.pem")
    asking = BrokerSettings(certificate_path="b.pem", key_path="b.key", client_ca_path="c.pem")
    psk = BrokerSettings(embedded=False, port=1883, psk_port=8884)
    own = {"tls_cert_path": "cert.der", "tls_key_path": "key.der"}
    assert device_settings(scene.enrolment, plain).items() >= {"tls": "off", "allow_plain": "yes"}.items()
    assert device_settings(scene.enrolment, tls).items() >= {"tls": "ca", "tls_ca_path": "ca.der"}.items()
    assert not {"allow_plain", *own} & device_settings(scene.enrolment, tls).keys()
    assert device_settings(scene.enrolment, asking).items() >= ({"tls": "ca"} | own).items()
    assert device_settings(scene.enrolment, psk).items() >= {"tls": "psk", "mqtt_port": "8884"}.items()
    assert scene.enrolment.mac_key.hex() not in device_settings(scene.enrolment, psk)["tls_psk"]
    scene.engine.dispose()
