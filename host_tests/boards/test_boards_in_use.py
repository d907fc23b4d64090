"""The whole firmware on the wiring of every board: the chip is simulated, the pins and polarities are the board's."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from board_check.board_file import BOARDS, DISPLAYS, find_boards, read_board
from keying import HEARD_S, press_until_heard
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

_FIRMWARE = Path(__file__).parents[2] / "firmware"
_SETTINGS = {
    "wifi_ssid": "lab", "tid": "t101", "mqtt_host": "127.0.0.1", "mqtt_port": "1", "mqtt_password": "x",
    "mac_key": "00" * 16,
}  # fmt: skip

_PROGRAMS = Path(__file__).parent / "vm_modules"


@pytest.fixture(params=find_boards(BOARDS), ids=lambda folder: folder.name)
def folder(request):
    return request.param


@pytest.fixture
async def start_phone(tmp_path, folder):
    """Return a coroutine that starts the firmware, changed by a function, on the board; it returns (phone, client)."""
    opened = []

    async def start(change):
        sources = tmp_path / "firmware"
        shutil.copytree(_FIRMWARE, sources, ignore=shutil.ignore_patterns("__pycache__"))
        change(sources)
        phone = VirtualPhone(_SETTINGS, build=Build(sources, folder))
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        opened.extend((client.close, phone.stop))
        return phone, client

    yield start
    for close in opened:
        await close()


async def until(is_so, what, within_s=20):
    """Wait until a condition is true; fail with its name if that takes too long."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.005)


async def test_the_firmware_starts_and_drives_lamp_and_buzzer(start_phone, folder):
    display = read_board(folder).display

    def change(sources):
        shutil.copyfile(_PROGRAMS / "unplugged_bus.py", sources / "unplugged_bus.py")
        (sources / "boot.py").write_text("import unplugged_bus\n" + (_FIRMWARE / "boot.py").read_text())
        if display:
            shutil.copyfile(DISPLAYS / f"{display.driver}.py", sources / f"{display.driver}.py")

    phone, client = await start_phone(change)
    events = []
    phone.events.listen(events.append)
    for is_on in (True, False, True, False):  # it blinks, and the keys have been quiet for long enough
        await until(lambda is_on=is_on: phone.state()["lamp"] is is_on, f"the lamp is {is_on}")

    def has_blipped():
        return any(event["event"] == "tone" and event["hz"] == 2000 for event in events)

    await press_until_heard(phone.pid, lambda: client.tap("#"), lambda: until(has_blipped, "a blip", HEARD_S))
    assert [line for line in phone.log_lines if line == "bus"] == (["bus"] if display else [])


async def test_every_key_is_read_on_the_contact_of_its_legend(start_phone, folder):
    phone, client = await start_phone(
        lambda sources: shutil.copyfile(_PROGRAMS / "contact_logger.py", sources / "main.py")
    )
    expected = ["started"]

    def is_said():
        return [line for line in phone.log_lines if line.startswith(("started", "contacts"))] == expected

    await until(is_said, "started")
    for index, legend in enumerate(read_board(folder).legends):
        for act, contacts in ((client.hold, 1 << index), (client.release, 0)):
            expected.append(f"contacts {contacts}")
            await act(legend)
            await until(is_said, f"key {legend}, and nothing else, after {expected[:-1]}")


async def test_the_clock_is_as_fast_as_the_chip_has_it(start_phone, folder):
    script = 'import machine\nprint("MHz", machine.freq() // 1000000)\n'
    phone, _ = await start_phone(lambda sources: (sources / "main.py").write_text(script))
    expected = "MHz 160" if read_board(folder).chip == "esp32c3" else "MHz 240"
    await until(lambda: expected in phone.log_lines, expected)
