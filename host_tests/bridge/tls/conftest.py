"""A bridge on a broker with TLS, mosquitto as we configure it or the embedded one, and phones to connect to it."""

import shutil

import pytest
from attack_lab.scenery.production_mosquitto import ProductionMosquitto
from bridge.tls.tls_names import NAME
from device.authority import Authority, is_possible
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.settings.bridge import BrokerSettings
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone


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
async def start_phone():
    """Return a coroutine that starts a phone with these settings; it returns its client."""
    phones = []

    async def start(texts):
        phone = VirtualPhone(texts)
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append((phone, client))
        return client

    yield start
    for phone, client in phones:
        await client.close()
        await phone.stop()


@pytest.fixture
def power_on(start_phone):
    """Return a coroutine that starts a phone for a scene with changed settings; it returns its client."""

    async def power_on_changed(scene, authority, **changes):
        broker = scene.settings.broker.model_copy(update={"port": scene.bridge.broker_port, "host": "127.0.0.1"})
        texts = device_settings(scene.enrolment, broker) | {"wifi_ssid": "lab", "tls_host": NAME}
        changed = texts | {"tls_ca_path": authority.der_path} | changes
        return await start_phone({key: text for key, text in changed.items() if text is not None})

    return power_on_changed
