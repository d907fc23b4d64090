"""The unchanged firmware on a virtual phone against real brokers: settings, Wi-Fi, broker and lamp together."""

import asyncio
import shutil
from pathlib import Path

import pytest
from attack_lab.scenery.waiting import until
from device.real_brokers import PASSWORD, TID, BridgeWire, bridge_login, topic
from phoneterm.core import messages
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone
from virtual_phone.wired_display import KINDS as DISPLAYS

SETTINGS = {
    "wifi_ssid": "lab", "wifi_password": "lab-password", "mqtt_host": "127.0.0.1", "mqtt_password": PASSWORD,
    "mac_key": "00" * 16, "tid": TID,
}  # fmt: skip


@pytest.fixture
async def start_phone():
    """Return a coroutine that starts a phone with settings and returns (phone, client)."""
    phones = []

    async def start(display="", **settings):
        texts = {key: value for key, value in (SETTINGS | settings).items() if value is not None}
        phone = VirtualPhone(texts, build=Build(display=display))
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append((phone, client))
        return phone, client

    yield start
    for phone, client in phones:
        await client.close()
        await phone.stop()


def logged(line):
    """Return a condition for the log event of a line."""
    return lambda event: event["event"] == "log" and event["line"] == line


async def test_it_says_hello_and_its_will_says_goodbye(broker, bridge_wire, start_phone):
    _, client = await start_phone(mqtt_port=str(broker.port))
    where = topic(messages.HELLO)
    _, payload, _ = await bridge_wire.until(lambda row: row[0] == where)
    hello = messages.decode(messages.HELLO, where, bytes(16), payload)
    assert (hello["board"], hello["wire"], len(hello["boot"])) == ("VIRTUAL", [1, 1], 8)
    await client.power(False)
    where = topic(messages.STATE)
    fields = {"boot": hello["boot"], "state": "offline"}
    await bridge_wire.until_received(where, messages.encode(messages.STATE, where, None, fields))


async def test_a_lost_network_takes_the_link_down_at_once_and_both_come_back(broker, start_phone):
    _, client = await start_phone(mqtt_port=str(broker.port))
    await client.wait_for_event(logged("link-up connection 1"))
    await client.wifi(False)
    await client.wait_for_event(logged("link-lost the network is gone"))
    await client.wifi(True)
    await client.wait_for_event(logged("link-up connection 2"))
    lines = [line for line in await client.log() if line.startswith("wifi")]
    assert lines[:2] == ["wifi-up joined", "wifi-down the network was lost"]
    assert lines[-1] == "wifi-up joined"


async def test_a_lost_broker_leaves_the_network_alone(broker, start_phone):
    _, client = await start_phone(mqtt_port=str(broker.port))
    await client.wait_for_event(logged("link-up connection 1"))
    await broker.stop()
    await client.wait_for_event(logged("link-lost ECONNREFUSED"))
    await broker.start()
    await client.wait_for_event(logged("link-up connection 2"))
    assert [line for line in await client.log() if line.startswith("wifi")] == ["wifi-up joined"]


@pytest.mark.parametrize("display", ["", *DISPLAYS])
async def test_a_missing_setting_is_one_sentence_a_signal_and_a_line_on_the_display_and_no_reset(start_phone, display):
    phone, client = await start_phone(display, mac_key=None)
    await client.wait_for_signal("keypad-fault")
    state = await client.state()
    assert state["display"] == ["not set up:", "mac_key"]
    assert list(phone.log_lines) == ["The setting mac_key is missing: provision this terminal."]
    assert (state["boots"], state["running"]) == (1, True)


async def test_a_ca_file_that_is_not_there_is_named(start_phone):
    phone, client = await start_phone(tls="ca", tls_ca_path="nowhere.der")
    await client.wait_for_signal("keypad-fault")
    assert list(phone.log_lines) == ["The setting tls_ca_path does not name a file in DER form: [Errno 2] ENOENT."]


async def test_no_secret_and_no_digit_of_a_number_reaches_the_log(broker, start_phone):
    phone, client = await start_phone(mqtt_port=str(broker.port), mqtt_password="not the right one")
    await client.wait_for_event(lambda event: event["event"] == "log" and event["line"].startswith("link-refused"))
    await client.type("#1987654")
    text = "\n".join(phone.log_lines)
    for secret in ("not the right one", SETTINGS["wifi_password"], SETTINGS["mac_key"], "987"):
        assert secret not in text


async def test_a_bridge_that_was_away_is_told_the_state_by_the_broker(broker, bridge_wire, start_phone):
    await start_phone(mqtt_port=str(broker.port))
    await bridge_wire.until(lambda row: row[0] == topic(messages.STATE))  # the broker has it
    wire = BridgeWire()
    await wire.connect(broker.port, *bridge_login(broker))
    await wire.until(lambda row: row[0] == topic(messages.STATE) and row[2])
    await wire.close()


async def test_what_the_broker_makes_up_is_refused_and_counted_in_the_telemetry(broker, bridge_wire, start_phone):
    """Permissions without a signature, with another key's signature, and of another terminal; the right key is 0."""
    await start_phone(mqtt_port=str(broker.port))
    await bridge_wire.until(lambda row: row[0] == topic(messages.HELLO))
    where = topic(messages.PERMISSIONS)
    elsewhere = messages.topic_of("phoneterm", "desk-102", messages.PERMISSIONS)
    fields = {"rev": 9, "multi_user_aware": True, "blind": True, "attended": True, "classes": []}
    signed = messages.encode(messages.PERMISSIONS, where, bytes(16), fields)
    forged = messages.encode(messages.PERMISSIONS, where, bytes(15) + b"x", fields)
    others = messages.encode(messages.PERMISSIONS, elsewhere, bytes(16), fields)
    for payload in (signed.partition(b"\n")[0], forged, others):
        bridge_wire.send(where, payload)
    _, payload, _ = await bridge_wire.until(lambda row: row[0] == topic(messages.TELEMETRY), 15)
    assert messages.decode(messages.TELEMETRY, topic(messages.TELEMETRY), None, payload)["refused"] == 3
    assert topic(messages.ACK) not in [row[0] for row in bridge_wire.received]


# A module whose first name look-up ends when the test allows it.
SLOW_NAMES = Path(__file__).parent / "vm_modules" / "slow_names" / "socket.py"


@pytest.fixture
async def blocked_phone(start_phone):
    """A phone whose first look-up of a name lasts until the file `go` is there; returns (phone, client, its events)."""
    phone, client = await start_phone(mqtt_host="broker.lab", mqtt_port="1", allow_plain="yes")
    await client.power(False)
    shutil.copyfile(SLOW_NAMES, phone.files / "socket.py")
    events = []
    phone.events.listen(events.append)
    await client.power(True)
    await until(lambda: lamps(events)[:1] == [True] and "looking up broker.lab" in phone.log_lines)
    return phone, client, events


def lamps(events):
    """Return the lamp's changes."""
    return [event["on"] for event in events if event["event"] == "lamp"]


async def test_the_lamp_is_dark_while_a_name_is_looked_up_and_blinks_again(blocked_phone):
    phone, _, events = blocked_phone
    await until(lambda: lamps(events) == [True, False])
    (phone.files / "go").touch()
    await until(lambda: lamps(events)[:3] == [True, False, True])


async def test_a_key_pressed_while_a_name_is_looked_up_is_not_taken_and_the_user_hears_it(blocked_phone):
    phone, client, events = blocked_phone
    await asyncio.sleep(0.4)  # so that it may be the second key
    await client.hold("#")
    (phone.files / "go").touch()
    await until(lambda: [event["hz"] for event in events if event["event"] == "tone"][:1] == [500])
    assert "key" not in [event.get("name") for event in events]
