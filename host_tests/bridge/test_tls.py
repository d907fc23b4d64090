"""TLS from the firmware to the bridge, on mosquitto as we configure it and on the embedded broker.

The terminal is the unchanged firmware on the MicroPython VM; it trusts a CA made for the test.
"""

import asyncio
import contextlib
import shutil
import socket

import pytest
from bridge.production_mosquitto import ProductionMosquitto
from device.authority import Authority, is_possible
from gmqtt.mqtt.handler import MQTTConnectError
from phoneterm.core import messages
from phoneterm_bridge.assembly import address_of, will_of
from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.broker.tls import make_client_context, make_server_context
from phoneterm_bridge.cli.terminal import device_settings
from phoneterm_bridge.mqtt.connection import MqttConnection, NotConnected
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

NAME = "localhost"
HOST = "127.0.0.1"
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
    """Return a coroutine that starts a bridge on a broker with TLS; it returns (scene, the broker's CA).

    client_ca: the Authority whose certificates the broker requires.
    """
    scenes = []

    async def start_scene(broker, name=NAME, dates=None, client_ca=None):
        authority = make_authority()
        mosquitto = None if broker == "embedded broker" else ProductionMosquitto(need_part(broker))
        folder = mosquitto.folder if mosquitto else tmp_path
        files = {}
        for option, content in authority.make_server_files(name, dates).items():
            path = folder / option
            path.write_bytes(content)
            files[{"certfile": "certificate_path", "keyfile": "key_path"}[option]] = path
        if client_ca:
            files["client_ca_path"] = shutil.copy(client_ca.pem_path, folder / "clients.pem")
        if mosquitto:
            if client_ca:
                files |= dict(
                    zip(
                        ("client_certificate_path", "client_key_path"),
                        client_ca.make_client_files("bridge"),
                        strict=True,
                    )
                )
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
        changed = texts | {"tls_ca_path": authority.der_path} | changes
        phone = VirtualPhone({key: text for key, text in changed.items() if text is not None})
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


@pytest.mark.parametrize("whose", ["nobody", "another authority"])
async def test_the_bridge_without_the_right_certificate_says_that_the_broker_asks_for_one(start, make_authority, whose):
    scene, _ = await start("mosquitto", client_ca=make_authority("clients"))
    own = (None, None) if whose == "nobody" else make_authority("other").make_client_files("bridge")
    changes = {"client_certificate_path": own[0], "client_key_path": own[1]}
    with pytest.raises(NotConnected, match="certificate"):
        await try_to_connect(scene.settings.broker.model_copy(update=changes))


@pytest.fixture(params=["mosquitto", "mosquitto-2.0"])
async def psk_scene(tmp_path, make, need_part, request):
    """A bridge on a mosquitto configured for terminals with TLS-PSK, and the mosquitto's address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    mosquitto = ProductionMosquitto(need_part(request.param), psk_port=port)
    scene = make.Scene(tmp_path, broker=mosquitto.settings)
    scene.mosquitto = mosquitto
    mosquitto.write_config(scene.settings.store.path, "--listen=127.0.0.1")
    await mosquitto.start()
    await scene.start()
    yield scene
    await scene.stop()
    await mosquitto.remove()


@pytest.fixture
async def power_on_psk(psk_scene):
    """Return a coroutine that starts a phone with its enrolment's settings, some of them changed."""
    phones = []

    async def start_phone(**changes):
        phone = VirtualPhone(
            device_settings(psk_scene.enrolment, psk_scene.settings.broker) | {"wifi_ssid": "lab"} | changes
        )
        await phone.start()
        client = await PhoneClient.connect(HOST, phone.control_port)
        phones.append((phone, client))
        return client

    yield start_phone
    for phone, client in phones:
        await client.close()
        await phone.stop()


async def test_the_firmware_comes_to_its_permissions_over_tls_psk(power_on_psk):
    client = await power_on_psk()
    await client.wait_for_signal("ready")


async def test_another_shared_key_is_refused(power_on_psk):
    client = await power_on_psk(tls_psk="00" * 32)
    assert (await refusal(client)).startswith("no TLS with it: ")


async def test_the_right_password_without_tls_psk_gets_nowhere(power_on_psk, psk_scene):
    client = await power_on_psk(tls="off")
    event = await client.wait_for_event(lambda one: one["event"] == "log" and one["line"].startswith("link-"))
    assert event["line"].startswith("link-lost ")


async def test_any_client_with_the_shared_key_gets_tls_and_none_with_another(psk_scene):
    """With openssl's own client, so that the firmware is not the only witness."""
    enrolment, broker = psk_scene.enrolment, psk_scene.settings.broker
    right = device_settings(enrolment, broker)["tls_psk"]
    connect = build_connect(Connect("", enrolment.tid, "", 60, None, b"", 0, False))
    no_password = bytes((0x20, 2, 0, 5))
    assert await ask_with_openssl(broker.psk_port, enrolment.tid, right, connect) == no_password
    assert await ask_with_openssl(broker.psk_port, enrolment.tid, "11" * 32, connect) == b""
    assert await ask_with_openssl(broker.psk_port, "phone-999", right, connect) == b""


async def test_a_new_shared_key_counts_once_mosquittos_files_are_new_and_it_has_reloaded(psk_scene):
    """As `phoneterm terminal rotate` says at its end."""
    broker = psk_scene.settings.broker
    tid, old = psk_scene.enrolment.tid, device_settings(psk_scene.enrolment, broker)["tls_psk"]
    new = device_settings(psk_scene.directory.rotate_terminal(tid), broker)["tls_psk"]
    connect = build_connect(Connect("", tid, "", 60, None, b"", 0, False))
    assert await ask_with_openssl(broker.psk_port, tid, new, connect) == b""
    psk_scene.mosquitto.write_config(psk_scene.settings.store.path, "--listen=127.0.0.1")
    psk_scene.mosquitto.reload()
    while not await ask_with_openssl(broker.psk_port, tid, new, connect):
        pass  # until it receives the signal; the test's own time limit ends this
    assert await ask_with_openssl(broker.psk_port, tid, old, connect) == b""


async def ask_with_openssl(port, identity, key, octets):
    """Send octets over TLS-PSK and return the answer until the broker closes the connection."""
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-quiet", "-connect", f"{HOST}:{port}", "-psk_identity", identity, "-psk", key,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    process.stdin.write(octets)
    answer = await asyncio.wait_for(process.stdout.read(), 30)
    process.stdin.close()
    await process.wait()
    return answer


async def test_the_embedded_brokers_plain_door_is_for_the_bridge_alone(start, make):
    scene, _ = await start("embedded broker")
    back_door = scene.bridge.parts.broker.address
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
    with pytest.raises(
        SetupProblem, match=r"cannot be read \(No such file or directory\); see broker\.certificate_path and"
    ):
        make_server_context(tmp_path / "none.pem", tmp_path / "none.key")


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


def test_a_file_of_the_bridges_own_tls_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    for files, sentence in (
        ({"ca_path": tmp_path / "x.pem"}, r"\(broker\.ca_path\) is not a CA in PEM form\.$"),
        ({"ca_path": tmp_path / "none.pem"}, r"cannot be read \(No such file or directory\); see broker\.ca_path\.$"),
    ):
        with pytest.raises(SetupProblem, match=sentence):
            make_client_context(BrokerSettings(embedded=False, **files))


def test_a_ca_of_clients_that_is_none_is_one_sentence(tmp_path):
    certificate, key = (tmp_path / name for name in ("b.pem", "b.key"))
    authority = Authority(tmp_path / "authority")
    for path, content in zip((certificate, key), authority.make_server_files(NAME).values(), strict=True):
        path.write_bytes(content)
    with pytest.raises(SetupProblem, match=r"\(broker\.client_ca_path\) is not a CA in PEM form\.$"):
        make_server_context(certificate, key, key)


async def test_a_bridge_whose_ca_is_not_there_does_not_start_and_leaves_nothing_behind(tmp_path, make):
    scene = make.Scene(tmp_path, broker=BrokerSettings(embedded=False, ca_path=tmp_path / "none.pem"))
    with pytest.raises(SetupProblem, match=r"see broker\.ca_path\.$"):
        await scene.start()
    scene.engine.dispose()
