"""TLS with a shared key, from the firmware to mosquitto as we configure it."""

import asyncio

import pytest
from attack_lab.scenery.production_mosquitto import ProductionMosquitto
from bridge.tls.tls_names import HOST, refusal
from lab_parts.free_port import free_port
from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.broker.terminal_settings import device_settings


@pytest.fixture(params=["mosquitto", "mosquitto-2.0"])
async def psk_scene(tmp_path, make, need_part, request):
    """A bridge on a mosquitto configured for terminals with TLS-PSK, and the mosquitto's address."""
    port = free_port()
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
def power_on_psk(psk_scene, start_phone):
    """Return a coroutine that starts a phone with its enrolment's settings, some of them changed."""

    async def power_on_changed(**changes):
        texts = device_settings(psk_scene.enrolment, psk_scene.settings.broker)
        return await start_phone(texts | {"wifi_ssid": "lab"} | changes)

    return power_on_changed


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
