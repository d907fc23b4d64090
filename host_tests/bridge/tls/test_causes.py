"""Each cause that keeps a terminal from its bridge, really produced: display, lamp, log, and the end of it.

The whole firmware on a virtual phone, with its Wi-Fi, real brokers and the bridge.
"""

import asyncio
import shutil
from pathlib import Path

import pytest
from phoneterm.core import causes
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

WIFI = ("lab", "right horse")
FAR = {"mqtt_host": "127.0.0.1", "mqtt_port": "1", "mqtt_password": "x", "mac_key": "00" * 16, "tid": "phone-101"}
OLD_CLOCK = Path(__file__).parents[2] / "device" / "vm_modules" / "clock_of_2000"
BETWEEN_MS = 310  # a long flash and a short one


@pytest.fixture
async def switch_on(tmp_path):
    """Return a coroutine that starts a phone with settings; it returns (phone, client).

    `change` is called with the folder of its files while it has no power.
    """
    phones = []

    async def start(texts, access_point=None, change=None):
        wifi = {"wifi_ssid": WIFI[0], "wifi_password": WIFI[1]}
        phone = VirtualPhone(wifi | {key: text for key, text in texts.items() if text}, access_point=access_point)
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append((phone, client))
        if change:
            await client.power(False)
            change(phone.files)
            phone.log_lines.clear()
            await client.power(True)
        return phone, client

    yield start
    for phone, client in phones:
        await client.close()
        await phone.stop()


async def see(client, cause, patience_s=30):
    """Wait until a terminal logs and shows this cause, and has blinked its code."""
    line1, line2, text, _ = causes.describe(cause)
    shown, is_told = None, False
    async with asyncio.timeout(patience_s):
        async for event in client.events(has_history=True):
            if event["event"] == "display":
                shown = event["lines"]
            is_told = is_told or event.get("line") == f"trouble {text}"
            if is_told and shown == [line1, line2]:
                break
    flashes = ["long"] * (cause // 10) + ["short"] * (cause % 10)
    seen, lit_ms = [], None

    def is_whole(event):
        nonlocal lit_ms
        if event["event"] == "lamp":
            if event["on"]:
                lit_ms = event["time_ms"]
            elif lit_ms is not None:
                seen.append("long" if event["time_ms"] - lit_ms > BETWEEN_MS else "short")
        return seen[-len(flashes) :] == flashes

    await client.wait_for_event(is_whole, patience_s)


async def hear_ready(client, times):
    """Wait until a terminal has logged so often that it is ready."""
    async with asyncio.timeout(30):
        async for event in client.events(has_history=True):
            times -= event.get("line") == "ready for keys"
            if times == 0:
                return


async def test_a_network_that_is_not_there(switch_on):
    _, client = await switch_on(FAR, access_point=("other", "x"))
    await see(client, causes.NO_WIFI)


async def test_a_wrong_passphrase_and_then_the_network_is_gone(switch_on):
    _, client = await switch_on(FAR, access_point=(WIFI[0], "another"))
    await see(client, causes.WRONG_PASSPHRASE)
    await client.wifi(False)
    await see(client, causes.NO_WIFI)


async def test_a_network_without_addresses(switch_on):
    _, client = await switch_on(FAR, access_point=(WIFI[0], None))
    await see(client, causes.NO_ADDRESS, 60)


async def test_a_name_without_an_address(switch_on):
    _, client = await switch_on(FAR | {"mqtt_host": "broker.invalid", "allow_plain": "yes"})
    await see(client, causes.NO_NAME, 60)


async def test_a_broker_that_is_not_there(switch_on):
    _, client = await switch_on(FAR)
    await see(client, causes.NO_BROKER)


async def test_a_time_server_that_does_not_answer_keeps_it_from_checking_the_certificate(switch_on, make_authority):
    authority = make_authority()
    texts = FAR | {"tls": "ca", "tls_ca_path": str(authority.der_path), "time_host": "127.0.0.1"}

    def turn_back(files):
        shutil.copytree(OLD_CLOCK, files, dirs_exist_ok=True)

    _, client = await switch_on(texts, change=turn_back)
    await see(client, causes.NO_TIME, 60)


async def test_a_certificate_of_another_authority(start, power_on, make_authority):
    scene, _ = await start("embedded broker")
    client = await power_on(scene, make_authority("other"))
    await see(client, causes.NO_TLS)


async def test_a_wrong_password(start, power_on):
    scene, authority = await start("embedded broker")
    client = await power_on(scene, authority, mqtt_password="not the right one")
    await see(client, causes.NO_LOGIN)


async def test_a_wrong_key(start, power_on):
    scene, authority = await start("embedded broker")
    client = await power_on(scene, authority, mac_key="ab" * 32)
    await see(client, causes.WRONG_KEY)


async def test_a_broker_without_a_bridge(start, power_on):
    scene, authority = await start("mosquitto")
    await scene.bridge.stop()
    client = await power_on(scene, authority)
    await see(client, causes.NO_BRIDGE)


async def test_the_pbx_goes_and_comes_back(start, power_on):
    scene, authority = await start("embedded broker")
    client = await power_on(scene, authority)
    await hear_ready(client, 1)
    scene.pbx.is_available = False
    scene.pbx.listener.on_availability(False)
    await see(client, causes.NO_PBX)
    await client.type("#1")
    await client.wait_for_signal("no-link")
    assert (await client.state())["display"] == [*causes.describe(causes.NO_PBX)[:2]]
    scene.pbx.is_available = True
    scene.pbx.listener.on_availability(True)
    await client.wait_for_signal("ready")
    await hear_ready(client, 2)
