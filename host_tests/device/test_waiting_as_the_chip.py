"""The firmware on a virtual phone that waits in ticks of 10 ms, like the chip: no short tap is lost."""

import asyncio

import pytest
from device.real_brokers import BridgeWire, bridge_login, topic
from device.test_whole_firmware import SETTINGS
from phoneterm.core import messages
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

KEY = bytes(16)
MOST_TRIES = 5
QUIET_S = 1.0  # after a number, before the next one counts
NUMBER = "0912345678901234567890123456789"


@pytest.fixture
async def bridge_wire(embedded_broker):
    """The bridge's own connection to the broker."""
    wire = BridgeWire()
    await wire.connect(embedded_broker.port, *bridge_login(embedded_broker))
    yield wire
    await wire.close()


@pytest.fixture
async def keypad(embedded_broker, bridge_wire):
    """The keypad of a phone in a call; its user may transfer to any number."""
    phone = VirtualPhone(SETTINGS | {"mqtt_port": str(embedded_broker.port)}, build=Build(tick_ms=10))
    await phone.start()
    client = await PhoneClient.connect("127.0.0.1", phone.control_port)
    _, payload, _ = await bridge_wire.until(lambda row: row[0] == topic(messages.HELLO))
    boot = messages.decode(messages.HELLO, topic(messages.HELLO), KEY, payload)["boot"]
    for kind, fields in (
        (messages.SESSION, {"boot": boot, "session": "5e55", "ttl_ms": 8000}),
        (messages.PERMISSIONS, {"rev": 1, "multi_user_aware": True, "blind": True, "attended": True,
                                "classes": ["national"]}),
        (messages.CALL, {"state": "talking", "call": "c1"}),
    ):  # fmt: skip
        bridge_wire.send(topic(kind), messages.encode(kind, topic(kind), KEY, fields))
    await client.wait_for_signal("ready")
    yield client
    await client.close()
    await phone.stop()


async def test_each_of_many_taps_of_25_ms_is_in_the_number(keypad, bridge_wire):
    """A busy computer may stop the whole phone for as long as a tap, so a number is keyed up to five times.

    If a look at the keypad had to wait for a tick, one tap in four would be lost, and no such number would ever arrive.
    """
    numbers = []
    while NUMBER not in numbers and len(numbers) < MOST_TRIES:
        bridge_wire.received.clear()
        await keypad.type(f"#1{NUMBER}A", hold_ms=25, gap_ms=40)
        command = await command_of(bridge_wire)
        numbers.append(command and command["number"])
        if command:
            fields = {"id": command["id"], "state": "rejected", "reason": "rate"}
            where = topic(messages.RESULT)
            bridge_wire.send(where, messages.encode(messages.RESULT, where, KEY, fields))
        await asyncio.sleep(QUIET_S)
    assert NUMBER in numbers


async def command_of(bridge_wire):
    """Return the terminal's next command, None if it sends none."""
    where = topic(messages.COMMAND)
    try:
        _, payload, _ = await bridge_wire.until(lambda row: row[0] == where, 2)
    except AssertionError:
        return None
    return messages.decode(messages.COMMAND, where, KEY, payload)
