"""From reset to the first key, and how the whole firmware survives faults: hangs, panics, lost files."""

import asyncio
import os
import shutil
import signal

import pytest
from device.real_brokers import PASSWORD, TID, topic
from keying import press_until_heard
from phoneterm.core import messages
from virtual_phone.build import BOARD, FIRMWARE, Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

SETTINGS = {
    "wifi_ssid": "lab", "wifi_password": "lab-password", "mqtt_host": "127.0.0.1", "mqtt_password": PASSWORD,
    "mqtt_port": "1", "mac_key": "00" * 16, "tid": TID,
}  # fmt: skip


@pytest.fixture
async def make_phone(need_stock_modules, tmp_path):
    """Return a coroutine that makes a phone from copies of firmware and board, and its client.

    `change` is called with the folder of the firmware's sources before they are compiled.
    """
    phones = []

    async def make(change=None, **settings):
        firmware, board = tmp_path / f"firmware{len(phones)}", tmp_path / f"board{len(phones)}"
        shutil.copytree(FIRMWARE, firmware)
        shutil.copytree(BOARD, board)
        if change:
            change(firmware)
        phone = VirtualPhone(SETTINGS | settings, build=Build(firmware, board))
        phone.board = board
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append((phone, client))
        return phone, client

    yield make
    for phone, client in phones:
        await client.close()
        await phone.stop()


async def wait_logged(phone, client, line, deadline_s=30):
    """Wait until the phone has written a line since it was made."""
    if line not in phone.log_lines:
        await client.wait_for_event(lambda event: event.get("line") == line, deadline_s)


async def next_crash(bridge_wire, seen):
    """Return the crash in the next hello of a new start."""
    where = topic(messages.HELLO)

    def read(row):
        return messages.decode(messages.HELLO, where, bytes(16), row[1])

    row = await bridge_wire.until(lambda row: row[0] == where and read(row)["boot"] not in seen, 30)
    seen.append(read(row)["boot"])
    return read(row)["crash"]


async def test_keys_are_taken_before_there_is_a_network(make_phone, figures):
    phone, client = await make_phone()
    await client.power(False)
    await client.wifi(False)
    client.history.clear()
    phone.log_lines.clear()
    await client.power(True)
    signal = None
    while signal is None:
        await client.type("0#", hold_ms=30, gap_ms=30)  # the 0 lets the # be up for long enough
        heard = [event for event in client.history if event["event"] == "signal" and event["name"] == "key"]
        signal = heard[0] if heard else None
    began = next(event for event in client.history if event["event"] == "reset")
    figures["reset to the first key that is taken, no network", "virtual phone"] = signal["time_ms"] - began["time_ms"]
    assert not [line for line in phone.log_lines if line.startswith("wifi-up")]
    assert phone.state()["wifi"] == {"up": False, "joined": False}


@pytest.mark.parametrize("broker", ["embedded broker"], indirect=True)  # it hangs for 3 s, whatever the broker is
async def test_a_firmware_that_hangs_is_reset_and_tells_the_bridge(broker, bridge_wire, make_phone):
    def change(firmware):
        path = firmware / "phoneterm" / "assembly.py"
        path.write_text(path.read_text().replace("_WATCHDOG_MS = const(30000)", "_WATCHDOG_MS = const(3000)"))
        path = firmware / "phoneterm" / "core" / "keymap.py"
        hang = "        while index == 15:\n            pass\n        return self._legends[index]\n"
        path.write_text(path.read_text().replace("        return self._legends[index]\n", hang))

    phone, client = await make_phone(change, mqtt_port=str(broker.port))
    seen = []
    assert await next_crash(bridge_wire, seen) is None
    crash = await press_until_heard(
        phone.pid,
        lambda: client.tap("D"),  # the last key of the keypad
        lambda: next_crash(bridge_wire, seen),
    )
    assert crash == "watchdog"
    assert phone.state()["boots"] == 2


async def test_a_link_that_stands_still_is_named(broker, bridge_wire, make_phone):
    def change(firmware):
        path = firmware / "phoneterm" / "assembly.py"
        path.write_text(path.read_text().replace("_WATCHDOG_MS = const(30000)", "_WATCHDOG_MS = const(3000)"))
        path = firmware / "phoneterm" / "app.py"
        note = '        self._watchdog.mark_progress("link")'
        path.write_text(
            path.read_text().replace(note, f"        if not self._terminal.counters()['keys']:\n    {note}")
        )

    phone, client = await make_phone(change, mqtt_port=str(broker.port))
    seen = []
    assert await next_crash(bridge_wire, seen) is None
    crash = await press_until_heard(phone.pid, lambda: client.tap("1"), lambda: next_crash(bridge_wire, seen))
    assert crash == "watchdog link"


async def test_an_interpreter_that_crashes_is_told_to_the_bridge(broker, bridge_wire, make_phone):
    phone, _ = await make_phone(mqtt_port=str(broker.port))
    seen = []
    assert await next_crash(bridge_wire, seen) is None
    os.kill(phone.pid, signal.SIGKILL)
    assert (await next_crash(bridge_wire, seen)).startswith("panic")
    await phone.power.restart("button")
    assert await next_crash(bridge_wire, seen) is None


LACKS = [
    ("phoneterm/core/link.mpy", "no module named 'phoneterm.core.link'"),
    ("phoneterm/app.mpy", "no module named 'phoneterm.app'"),
    ("phoneterm/assembly.mpy", "no module named 'phoneterm.assembly'"),
    ("phoneterm/device/breadcrumb.mpy", "no module named 'phoneterm.device.breadcrumb'"),
    ("phoneterm/device/key_matrix.mpy", "no module named 'phoneterm.device.key_matrix'"),
]


@pytest.mark.parametrize(("lost", "words"), LACKS)
async def test_a_module_that_is_missing_is_named_and_safe_mode_is_there(broker, make_phone, lost, words):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    (phone.files / lost).unlink()
    phone.log_lines.clear()
    await client.reset()
    await wait_logged(phone, client, "safe mode: connected")
    assert phone.log_lines[0] == f"safe mode: incomplete firmware ({words}): flash it again"


@pytest.mark.parametrize("content", [b"", b"M\x05\x00\x1f12345", b"\x00" * 100])
async def test_a_module_that_is_damaged_is_named_and_safe_mode_is_there(broker, make_phone, content):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    (phone.files / "phoneterm/core/outcomes.mpy").write_bytes(content)
    phone.log_lines.clear()
    await client.reset()
    await wait_logged(phone, client, "safe mode: connected")
    assert phone.log_lines[0] == "safe mode: incomplete firmware (phoneterm/core/outcomes.mpy): flash it again"


async def test_a_board_that_is_missing_is_named_and_safe_mode_is_there(broker, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    (phone.board / "board.py").unlink()
    phone.log_lines.clear()
    await client.reset()
    await wait_logged(phone, client, "safe mode: connected")
    assert phone.log_lines[0] == "safe mode: incomplete firmware (no module named 'board'): flash it again"


async def test_a_board_with_a_mistake_is_a_sentence_too(broker, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    (phone.board / "board.py").write_text("ROWS = (1, 2\n")
    phone.log_lines.clear()
    await client.reset()
    await wait_logged(phone, client, "safe mode: connected")
    assert phone.log_lines[0] == "safe mode: board.py is not Python: mend it, then flash again"


@pytest.mark.parametrize("name", ["ROWS", "LAMP", "HOOK", "NAME", "make_display"])
async def test_what_a_board_does_not_set_is_named_and_the_firmware_is_not_blamed(embedded_broker, make_phone, name):
    phone, client = await make_phone(mqtt_port=str(embedded_broker.port))
    with (phone.board / "board.py").open("a") as file:
        file.write(f"\n\ndel {name}\n")
    phone.log_lines.clear()
    await client.reset()
    await wait_logged(phone, client, "safe mode: connected")
    assert phone.log_lines[0] == f"safe mode: board.py does not set {name}: mend it, then flash again"


@pytest.mark.parametrize(
    ("lost", "lines"),
    [
        (("phoneterm", "safe.py"), ["no module named 'phoneterm'", "no module named 'safe'"]),
        (("phoneterm",), ["no module named 'phoneterm'", "no module named 'phoneterm'"]),
        (("phoneterm/core/messages.mpy",), ["no module named 'phoneterm.core.messages'"] * 2),
    ],
)
async def test_without_the_modules_of_safe_mode_the_repl_is_left(make_phone, lost, lines):
    phone, client = await make_phone()
    await client.power(False)  # a running firmware might need the removed files
    for name in lost:
        path = phone.files / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    phone.log_lines.clear()
    ending = asyncio.create_task(client.wait_for_event(lambda event: event["event"] == "end"))
    await asyncio.sleep(0)  # lets the task begin to listen
    await client.power(True)
    await ending
    first, second = lines
    assert list(phone.log_lines) == [
        f"safe mode: incomplete firmware ({first}): flash it again",
        f"no safe mode either: {second}",
    ]


async def test_without_boot_py_it_says_so(broker, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    (phone.files / "boot.py").unlink()
    phone.log_lines.clear()
    await client.reset()
    await wait_logged(phone, client, "safe mode: connected")
    assert phone.log_lines[0] == "safe mode: boot.py is missing"
